"""A teammate's account: its presence, and the addresses and the Intercom role that payloads gave."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.support.access_oracle.log import Key, LoggedFact
from tests.support.access_oracle.presence import Presence, presence
from tests.support.access_oracle.registers import normal, second, start_of_run
from tests.support.access_oracle.snapshots import AppliedSnapshot

Value = TypeVar("Value")
Role = tuple[str, ...]  # an Intercom role as a payload gave it: its id, its name, or both


@dataclass(frozen=True)
class Account:
    """A teammate's account; its addresses and its role are registers by the second [N10]."""

    key: Key
    presence: Presence
    addresses: frozenset[str]  # the latest; several only if one second gave several
    past_and_present: frozenset[str]  # every address it has had
    address_since: dict[str, int]
    address_first: dict[str, int]  # when it first had each address
    changed: int | None  # when it got its present address, if it had another before
    roles: frozenset[Role]
    role_since: int | None


def account_at(
    key: Key, facts: Sequence[LoggedFact], rows: Sequence[LoggedFact], snapshots: Sequence[AppliedSnapshot]
) -> Account:
    """Compute one account's registers. The design: "A field a payload does not carry asserts nothing." """
    addresses: dict[int, dict[str, int]] = {}  # by second, and when in it a payload first gave each
    roles: dict[int, dict[Role, int]] = {}
    first: dict[str, int] = {}
    for logged in [*facts, *rows]:
        time = logged.fact["snapshot"]["requested"] if logged in rows else logged.fact["time"]
        for address in (logged.fact.get("person") or {}).get("addresses") or ():
            _assert(addresses, normal(address), time)
            first[normal(address)] = min(time, first.get(normal(address), time))
        if role := role_of(logged):
            _assert(roles, role, time)
    present = frozenset(addresses[max(addresses)]) if addresses else frozenset[str]()
    present_roles = frozenset(roles[max(roles)]) if roles else frozenset[Role]()
    return Account(
        key=key,
        presence=presence(facts, snapshots, key[1]),
        addresses=present,
        past_and_present=frozenset(address for values in addresses.values() for address in values),
        address_since={address: addresses[_start_of_address(addresses, address)][address] for address in present},
        address_first=first,
        changed=_changed(addresses, present),
        roles=present_roles,
        role_since=_role_since(roles, present_roles),
    )


def role_of(logged: LoggedFact) -> Role:
    """Return the Intercom role that a payload gives, empty if it gives none: a field that it lacks asserts nothing."""
    admin = logged.fact.get("admin") or {}
    return tuple(value for value in (admin.get("role_id"), admin.get("role_name")) if value is not None)


def _assert(register: dict[int, dict[Value, int]], value: Value, time: int) -> None:
    in_second = register.setdefault(second(time), {})
    in_second[value] = min(time, in_second.get(value, time))


def _start_of_address(addresses: dict[int, dict[str, int]], address: str) -> int:
    return start_of_run(addresses, lambda values: address in values)


def _role_since(roles: dict[int, dict[Role, int]], present: frozenset[Role]) -> int | None:
    """Return since when the account has its roles; of several in one second, since the last of them was given [N40]."""
    return max(roles[start_of_run(roles, lambda values: values.keys() == present)].values()) if roles else None


def _changed(addresses: dict[int, dict[str, int]], present: frozenset[str]) -> int | None:
    """Return when the account got one of its present addresses after another one; None if it never had another."""
    others = [moment for moment in addresses if not addresses[moment].keys() & present]
    if not others:
        return None
    later = [values for moment, values in addresses.items() if moment > max(others)]
    return min((time for values in later for address, time in values.items() if address in present), default=None)
