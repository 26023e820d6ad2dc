"""Material changes: an exemption is bound to the facts it was given for, and void once these change.

Observations are read from the histories by source time, so the order in which they arrive changes nothing. Decisions count in the order
of the log.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from streams.core.access.checks.check import PASS, AccountInput, CheckOutcomes
from streams.core.access.checks.policy.roles import normal_role, role_changed_at
from streams.core.access.state import employment
from streams.core.access.state.directory import Directory
from streams.core.access.state.history import changed_at, moments
from streams.core.access.state.person import Person, precedence_of
from streams.core.access.state.row_kinds.grant_rows import ExemptionRow
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.row_kinds.staff_rows import StaffRecord
from streams.core.access.state.tenant import TenantState


def voided_at(state: TenantState, view: AccountInput, outcomes: CheckOutcomes, row: ExemptionRow) -> int | None:
    """Return when a material change voided an exemption of an account (ms), or None. `outcomes` say who is known to own the account."""
    owner = _owner(outcomes)
    person = view.directory.person_of(row.staff) if row.staff else owner
    changes = [
        _roles_of(view, row.source.date),
        row.reclassified,
        _of_another(view, outcomes, owner, row),
        _BY_CHECK[row.check](state, view, row, person) if row.check in _BY_CHECK else None,
    ]
    return min((change for change in changes if change is not None), default=None)


def _roles_of(view: AccountInput, since: int) -> int | None:
    return (role_changed_at if follows(view.rules, WITH_DOUBT) else changed_at)(view.account.roles, since)


def _owner(outcomes: CheckOutcomes) -> Person | None:
    identified = outcomes.get("C1")
    return identified.owner if identified is not None and identified.result.result == PASS else None


def _of_another(view: AccountInput, outcomes: CheckOutcomes, owner: Person | None, row: ExemptionRow) -> int | None:
    """Return since when the account is another's than the exemption was given for: by a link for good, else as long as it is."""
    if row.staff is None:
        return None
    for link in row.links:
        person = view.directory.person_of(link.name or "")
        if person is not None and row.staff not in person.ids:
            return link.date
    return outcomes["C1"].result.since if owner is not None and row.staff not in owner.ids else None


def _addresses(state: TenantState, view: AccountInput, row: ExemptionRow, person: Person | None) -> int | None:
    return changed_at(view.account.addresses, row.source.date)


def _employment(state: TenantState, view: AccountInput, row: ExemptionRow, person: Person | None) -> int | None:
    """Return when the end of the person's employment changed, by records and by decisions which source is right."""
    if person is None:
        return None
    since, reader, made = row.source.date, view.directory.reader, view.directory.choices_about(person)
    times = {time for time in employment.changes_of(reader, person) if time > since}
    right = [each.name for each in made if each.offset < row.source.offset][-1:] or [None]
    decided = [(max(since, each.date), each.name) for each in made if each.offset > row.source.offset]
    held = employment.end_at(reader, person, since, right[0])
    for time in sorted(times | {date for date, _ in decided}):
        source = next((name for date, name in reversed(decided) if date <= time), right[0])
        if employment.end_at(reader, person, time, source) != held:
            return time
    return None


def _staff_roles(state: TenantState, view: AccountInput, row: ExemptionRow, person: Person | None) -> int | None:
    """Return when the person's roles changed."""
    if person is None:
        return None
    since, directory, by_name = row.source.date, view.directory, follows(view.rules, WITH_DOUBT)
    times = sorted({time for record in person.records for time in _role_times(directory, record.row)})
    held = _roles_at(directory, person, since)
    for time in times:
        if time > since and (roles := _roles_at(directory, person, time)) is not None:
            if held is not None and roles != held and not (by_name and _names(roles) == _names(held)):
                return time
            held = roles
    return None


def _names(roles: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(normal_role, roles))


def _role_times(directory: Directory, row: StaffRecord) -> set[int]:
    """Return the times (ms) at which the roles that a record gives, or whether it counts, can have changed."""
    requests = [*row.lacked, *directory.reader.requests(row.source)]
    sights = (sight for request in requests for sight in [time for time in row.sights if time > request][:1])
    return {*(moment.time for history in (row.roles, row.status) for moment in moments(history)), *requests, *sights}


def _roles_at(directory: Directory, person: Person, at: int) -> tuple[str, ...] | None:
    """Return the roles as asserted until an instant (ms): of the first source by precedence that gives any, of others the latest.

    Records that their sources had withdrawn by then count where no other gives any.
    """
    rows = [row for record in person.records if (row := employment.as_of(record.row, at)) is not None]
    given = [record for record in (directory.reader.read_until(row, at) for row in rows) if record.roles is not None]
    having = [record for record in given if record.speaks(at)] or given
    if not having:
        return None
    return min(having, key=lambda each: (precedence_of(each, directory.precedence), -(each.roles_at or 0), each.key)).roles


_BY_CHECK: Final = MappingProxyType[str, Callable[[TenantState, AccountInput, ExemptionRow, Person | None], int | None]]({
    "C1": _addresses,
    "C2": _employment,
    "C4": _staff_roles,
})  # fmt: skip
"""What a check rests on beyond the account's role, its classification and its owner."""
