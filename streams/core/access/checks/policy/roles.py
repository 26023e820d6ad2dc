"""The roles that a policy compares: those of a person in the organisation, and those of an account in Intercom."""

from typing import Any, NamedTuple

from streams.core.access.checks.check import AccountInput
from streams.core.access.checks.matching import SECOND
from streams.core.access.state.history import History, moments, run_start, runs
from streams.core.access.state.person import Person
from streams.core.access.state.staff import Record


class StaffRoles(NamedTuple):
    """A person's roles, None where no source asserts any; since when (ms), and whether only withdrawn records assert them."""

    names: tuple[str, ...] | None = None
    since: int | None = None
    withdrawn: bool = False


class IntercomRole(NamedTuple):
    """An account's role in Intercom, by its id and its name as far as a payload gave them."""

    id: str | None
    name: str | None


class IntercomRoles(NamedTuple):
    """The roles an account has, and since when (ms): several where payloads of one second contradict each other, none where none is known."""

    held: tuple[IntercomRole, ...] = ()
    since: int | None = None


def normal_role(role: str) -> str:
    """Return the form in which names of roles are compared: without case and extra blanks."""
    return " ".join(role.split()).casefold()


def staff_roles(view: AccountInput, owner: Person) -> StaffRoles:
    """Return the roles of the first source by precedence that asserts any."""
    given = [record for record in owner.records if record.roles is not None]
    having = [record for record in given if record.speaks(view.at)] or given
    if not having:
        return StaffRoles()
    precedence = view.directory.precedence

    def rank(record: Record) -> tuple[Any, ...]:
        place = precedence.index(record.key[0]) if record.key[0] in precedence else len(precedence)
        return place, -(record.roles_at or 0), record.key

    best = min(having, key=rank)
    decided = view.directory.since("precedence") if len(having) > 1 else None
    times = [time for time in (best.roles_since, decided) if time is not None]
    return StaffRoles(best.roles, max(times, default=0), not best.speaks(view.at))


def intercom_roles(view: AccountInput) -> IntercomRoles:
    """Return the account's Intercom roles of the last second that names any, since the payload that gave the last of them."""
    history = runs(view.account.roles, SECOND)
    if not history:
        return IntercomRoles()
    held = {_role(value) for value in history[-1].values}
    start = run_start(history, lambda values: {_role(value) for value in values} == held)
    return IntercomRoles(tuple(sorted(held, key=lambda role: (role.name or "", role.id or ""))), max(start.times))


def role_changed_at(history: History, since: int) -> int | None:
    """Return when an account first had another role in Intercom after an instant (ms) than at it, or None.

    A role is known by its name, by its id or by both: to learn the other of them, or another spelling of its name, is no change.
    """
    every = moments(history)
    before = [moment for moment in every if moment.time <= since][-1:] or every[:1]
    held = [_role(value) for moment in before for value in moment.values]
    for moment in (each for each in every if each.time > since):
        for role in map(_role, moment.values):
            same = next((number for number, each in enumerate(held) if _is_same(each, role)), None)
            if same is None:
                return moment.time
            held[same] = IntercomRole(held[same].id or role.id, held[same].name or role.name)
    return None


def _is_same(one: IntercomRole, other: IntercomRole) -> bool:
    known = [
        mine == theirs
        for mine, theirs in ((one.id, other.id), (one.name and normal_role(one.name), other.name and normal_role(other.name)))
        if mine is not None and theirs is not None
    ]
    return bool(known) and all(known)


def stored_role(id_: str | None, name: str | None) -> Any:
    """Return a role as an account's history holds it: its name, or its id and name."""
    return name if id_ is None else [id_, name]


def _role(value: Any) -> IntercomRole:
    return IntercomRole(None, value) if isinstance(value, str) else IntercomRole(*value)
