"""Exemptions: what a failing check is exempt by, and what voids an exemption."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from tests.support.access_oracle.accounts import role_of
from tests.support.access_oracle.decided.choices import rights
from tests.support.access_oracle.decided.decisions import Subject, linked_staff
from tests.support.access_oracle.decided.grants import Cover, Grant, grants, unbroken
from tests.support.access_oracle.log import TEAMMATE_KINDS, FactDict, LoggedFact, date_of
from tests.support.access_oracle.people import Person, end_of_all
from tests.support.access_oracle.precedence import giving
from tests.support.access_oracle.registers import latest, normal
from tests.support.access_oracle.results import Row
from tests.support.access_oracle.state import State

NOTHING: Final = object()  # nothing was asserted by then


def exempted(state: State, row: Row, owner: Row | None) -> Row:
    """Return the row, EXEMPT while an exemption covers it; or dated by the end of the last one, if that is later [N46].

    "Where the check's outcome is FAIL or DUE, or UNKNOWN with an open finding, and an exemption is in force". `owner` is the row
    of C1, which knows whose the account is.
    """
    if not row.has_finding:
        return row
    cover = cover_of(state, (row.check, row.app_id, row.account), owner)
    if cover.begun is not None:
        return replace(row, status="EXEMPT", since=latest(row.since, cover.begun), since_settled=False)
    return replace(row, since=latest(row.since, cover.ended))


def cover_of(state: State, about: tuple[str, str, str | None], owner: Row | None) -> Cover:
    """Return since when exemptions from a check of an account, or of a workspace, are in force, or when the last one ended."""
    return unbroken([grant.period(voided_at(state, grant, owner)) for grant in _given_for(state, about)], state.now)


def _given_for(state: State, about: tuple[str, str, str | None]) -> Iterator[Grant]:
    for grant in grants(state, "exemption"):
        account = grant.fact.get("account")
        subject = (grant.content["check"], grant.fact["app_id"], None if account is None else str(account))
        if subject == about:
            yield grant


def voided_at(state: State, grant: Grant, owner: Row | None) -> int | None:
    """Return when a material change voided an exemption, None if none did [N53]."""
    if grant.fact.get("account") is None:
        return None
    check = grant.content["check"]
    account = (grant.fact["app_id"], str(grant.fact["account"]))
    person = _person(state, grant, owner)
    given = date_of(grant.made)
    changes = [
        _changed(given, _payloads(state, account, role_of)),
        _reclassified(state, grant, account),
        _of_another(state, grant, account, owner),
        _changed(given, _payloads(state, account, _addresses)) if check == "C1" else None,
        _end_changed(state, grant, person) if check == "C2" and person else None,
        _roles_changed(state, given, person) if check == "C4" and person else None,
    ]
    return min((change for change in changes if change is not None), default=None)


def _person(state: State, grant: Grant, owner: Row | None) -> Person | None:
    named = grant.fact.get("staff") or (owner.person if owner else None)
    return state.person_of(named) if named else None


def _changed(given: int, assertions: Iterable[tuple[int, Any]]) -> int | None:
    """Return when a value was first asserted, after the grant's date, that differs from those asserted last up to that date."""
    known = sorted(assertions, key=lambda assertion: assertion[0])
    last = max((time for time, _ in known if time <= given), default=None)
    values = [value for time, value in known if time == last]
    if last is None:  # nothing known: the first assertion is no change
        later = [time for time, _ in known if time > given]
        return _changed(min(later), known) if later else None
    return min((time for time, value in known if time > given and value not in values), default=None)


def _payloads(state: State, account: tuple[str, str], read: Callable[[LoggedFact], Any]) -> Iterator[tuple[int, Any]]:
    """Yield what the payloads about an account give, where they give something, with their times."""
    rows = {row.position: listing.requested for listing in state.listings for row in listing.rows}
    for logged in state.facts:
        about = (logged.fact.get("app_id"), str(logged.fact.get("account"))) == account
        counts = logged.kind in TEAMMATE_KINDS or logged.position in rows
        if about and counts and (value := read(logged)):
            yield rows.get(logged.position, logged.fact.get("time")), value


def _addresses(logged: LoggedFact) -> tuple[str, ...]:
    return tuple(sorted(normal(address) for address in (logged.fact.get("person") or {}).get("addresses") or ()))


def _behind(state: State, subject: Subject, grant: Grant) -> tuple[LoggedFact | None, list[LoggedFact]]:
    """Return the decision about a subject in force at the grant's place in the log, and those behind it."""
    made = state.decisions.get(subject, [])
    before = [logged for logged in made if logged.position < grant.made.position]
    return (before[-1] if before else None), made[len(before) :]


def _reclassified(state: State, grant: Grant, account: tuple[str, str]) -> int | None:
    before, behind = _behind(state, ("class", *account), grant)
    first = _content(before.fact) if before else None
    return next((date_of(logged) for logged in behind if _content(logged.fact) != first), None)


def _content(fact: FactDict) -> tuple[Any, ...] | None:
    classification = fact.get("classification") or {}
    if fact["kind"] != "account.classified" or classification["kind"] == "person":
        return None
    return tuple(classification.get(name) for name in ("kind", "owner", "expires"))


def _of_another(state: State, grant: Grant, account: tuple[str, str], owner: Row | None) -> int | None:
    """ "Its owner is not the `staff` the grant names": by a link behind it for good, else as long as another owner is known."""
    staff = grant.fact.get("staff")
    if staff is None:
        return None
    _, behind = _behind(state, ("link", *account), grant)
    for logged in behind:
        person = state.person_of(str(linked_staff([logged]).value))
        if person is not None and staff not in person.ids:
            return date_of(logged)
    another = owner is not None and owner.status == "PASS" and owner.person is not None and staff not in owner.person_ids
    return owner.since if another and owner is not None else None


def _end_changed(state: State, grant: Grant, person: Person) -> int | None:
    """Return when the end of the employment changed, by what was observed up to each source time and decided up to it."""
    given = date_of(grant.made)
    made = rights(state, person)
    before = [logged for logged in made if logged.position < grant.made.position]
    first, behind = (before[-1] if before else None), made[len(before) :]
    decided = [(max(given, date_of(logged)), logged) for logged in behind]

    def end_at(time: int, choice: LoggedFact | None) -> int | None:
        in_force = choice if choice and choice.fact["choice"].get("source") is not None else None
        end = end_of_all(state.records_of(person, time), in_force)
        return end.instant if end else None

    held = end_at(given, first)
    for time in sorted({*(t for t in _observed(state, person) if t > given), *(date for date, _ in decided)}):
        choice = next((logged for date, logged in reversed(decided) if date <= time), first)
        if end_at(time, choice) != held:
            return time
    return None


def _roles_changed(state: State, given: int, person: Person) -> int | None:
    """Return when the person's staff roles changed, by what was observed up to each source time."""

    def roles_at(time: int) -> Any:
        counting = giving(state, state.records_of(person, time), lambda record: record.roles, time)
        return counting[0][1].value if counting else NOTHING

    before = roles_at(given)
    for time in sorted(time for time in _observed(state, person) if time > given):
        now = roles_at(time)
        if before is NOTHING:
            before = now
        elif now not in (before, NOTHING):
            return time
    return None


def _observed(state: State, person: Person) -> Sequence[int]:
    """Return every time at which the person, or a source of theirs, was observed."""
    sources = {record.key[0] for record in person.records}
    return sorted({time for source in sources for time in state.observed_at.get(source, ())})
