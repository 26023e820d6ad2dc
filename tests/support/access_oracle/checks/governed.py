"""C5: an account of no single person has somebody who answers for it."""

from typing import Any

from tests.support.access_oracle.beginnings import chosen_since, employed_since
from tests.support.access_oracle.checks.check_input import CheckInput
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.registers import latest
from tests.support.access_oracle.results import Row


def governed(check: CheckInput) -> Row:
    """The design: "C5 for accounts classified service, shared, system or external and not linked … several failures: the first"."""
    base = latest(check.stay.since, check.link.date, check.governance.date)
    if check.governance.value is None or check.link.value is not None:
        return check.row("C5", "NONE", "of a person", base)
    kind, owner, expires = check.governance.value
    now = check.state.now
    person = check.state.person_of(owner) if owner is not None else None
    named: dict[str, Any] = {"person": person.id, "person_ids": person.ids} if person else {}
    for reason, fails, cause in (
        ("owner_left", person is not None and person.has_left(now), _end_date(check, person)),
        ("external_without_end", kind == "external" and expires is None, None),
        ("external_ended", kind == "external" and expires is not None and expires <= now, expires),
        ("shared_without_owner", kind == "shared" and owner is None, None),
    ):
        if fails:
            since = latest(base, cause)
            return check.row("C5", "FAIL", reason, since, since_settled=True, has_finding=True, finding_since=since, **named)
    if owner is not None and person is None:
        return check.row("C5", "UNKNOWN", "staff_not_known", base, person=owner)
    return check.row(
        "C5",
        "PASS",
        "governed",
        latest(base, person.first if person else None, employed_since(check.state, person) if person else None),
        **named,
    )


def _end_date(check: CheckInput, person: Person | None) -> int | None:
    return latest(person.end.date, chosen_since(check.state, person)) if person and person.end else None
