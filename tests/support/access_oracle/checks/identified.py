"""C1: an account has an owner who is known, or belongs to no single person."""

from tests.support.access_oracle.beginnings import alone_since
from tests.support.access_oracle.checks.check_input import CheckInput
from tests.support.access_oracle.registers import latest
from tests.support.access_oracle.results import Row


def identified(check: CheckInput) -> Row:
    """The design: C1 fails while the account is active, linked to nobody, and not service, shared, system or external."""
    if check.classification.value is not None:
        return check.row("C1", "PASS", "classified", latest(check.stay.since, check.classification.date))
    if check.link.value is None:
        return _by_address(check)
    since = latest(check.stay.since, check.link.date)
    person = check.state.person_of(check.link.value)
    if person is not None:  # also when the person's records are withdrawn: the link names the owner by id
        dated = latest(since, person.first)
        return check.row("C1", "PASS", "identified", dated, person=person.id, person_ids=person.ids)
    # Fault B: until the staff record arrives C1 and C2 are UNKNOWN with that reason, and the address is not matched. "C1 closes
    # when the staff record arrives", so it is open meanwhile, dated as without the link if it would fail without the link [N3].
    without = _by_address(check)
    begun = without.finding_since if without.has_finding else since
    return check.row("C1", "UNKNOWN", "staff_not_known", since, person=check.link.value, has_finding=True, finding_since=begun)


def _by_address(check: CheckInput) -> Row:
    """C1 where no link names an owner."""
    people = check.match.people
    base = latest(check.stay.since, check.link.date, check.classification.date)  # a withdrawn link or class is a cause too
    if len(people) == 1:
        person, since = people[0]
        dated = latest(base, since, check.match.alias_date)
        dated = latest(dated, alone_since(check.state, check.account, check.match, dated))
        return check.row("C1", "PASS", "identified", dated, person=person.id, person_ids=person.ids)
    if people:  # "more than one candidate is ambiguous (C1, candidates listed)"; active before ended, in the list [N1]
        order = sorted(people, key=lambda pair: (pair[0].has_left(check.state.now), pair[0].id))
        since = latest(base, sorted(since for _, since in people)[1], check.match.alias_date)
        candidates = tuple(person.id for person, _ in order)
        return check.row("C1", "FAIL", "ambiguous", since, candidates=candidates, has_finding=True, finding_since=since)
    # "C1 for an unknown address is FAIL even with no staff loaded (confidence 1)."
    lost = _losses(check)
    since = latest(base, *lost, check.account.changed)
    settled = not lost and check.account.changed is None
    return check.row(
        "C1", "FAIL", "not_identified", since, confidence=1, since_settled=settled, has_finding=True, finding_since=since
    )


def _losses(check: CheckInput) -> list[int]:
    """Return when records that had the account's address were withdrawn, or lost the address."""
    lost: list[int] = []
    addresses = check.account.addresses
    for record in (record for person in check.state.people for record in person.records):
        if record.withdrawn is not None and record.addresses & addresses:
            lost.append(record.withdrawn)
        lost.extend(record.lost[address] for address in addresses if address in record.lost)
    return lost
