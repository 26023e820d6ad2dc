"""A teammate's account: its presence, and the addresses and the Intercom role that payloads gave."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.access_oracle.log import Key, LoggedFact
from tests.support.access_oracle.presence import Presence, presence
from tests.support.access_oracle.registers import normal, second, start_of_run
from tests.support.access_oracle.snapshots import AppliedSnapshot


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
    roles: frozenset[str]
    role_since: int | None


def account_at(
    key: Key, facts: Sequence[LoggedFact], rows: Sequence[LoggedFact], snapshots: Sequence[AppliedSnapshot]
) -> Account:
    """Compute one account's registers. The design: "A field a payload does not carry asserts nothing." """
    addresses: dict[int, set[str]] = {}
    roles: dict[int, set[str]] = {}
    first: dict[str, int] = {}
    earliest: dict[int, int] = {}
    for logged in [*facts, *rows]:
        time = logged.fact["snapshot"]["requested"] if logged in rows else logged.fact["time"]
        earliest[second(time)] = min(time, earliest.get(second(time), time))
        for address in (logged.fact.get("person") or {}).get("addresses") or ():
            addresses.setdefault(second(time), set()).add(normal(address))
            first[normal(address)] = min(time, first.get(normal(address), time))
        role = (logged.fact.get("admin") or {}).get("role_name")
        if role is not None:
            roles.setdefault(second(time), set()).add(role)
    present = addresses[max(addresses)] if addresses else set()
    present_roles = roles[max(roles)] if roles else set()
    return Account(
        key=key,
        presence=presence(facts, snapshots),
        addresses=frozenset(present),
        past_and_present=frozenset(address for values in addresses.values() for address in values),
        address_since={address: earliest[_start_of_address(addresses, address)] for address in present},
        address_first=first,
        changed=_changed(addresses, present, earliest),
        roles=frozenset(present_roles),
        role_since=earliest[start_of_run(roles, lambda value: value == present_roles)] if roles else None,
    )


def _start_of_address(addresses: dict[int, set[str]], address: str) -> int:
    return start_of_run(addresses, lambda values: address in values)


def _changed(addresses: dict[int, set[str]], present: set[str], earliest: dict[int, int]) -> int | None:
    """Return when the account got one of its present addresses after another one; None if it never had another."""
    others = [moment for moment in addresses if not addresses[moment] & present]
    if not others:
        return None
    return min((earliest[m] for m in addresses if m > max(others) and addresses[m] & present), default=None)
