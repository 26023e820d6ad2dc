"""The table's cross references: the people and accounts that an address leads to, and the accounts that belong to a person.

With them, a change of one row finds everything whose answers it may change, without a walk over the tenant.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from streams.core.access.state.addresses import aliased, untagged
from streams.core.access.state.fields import value
from streams.core.access.state.rows import AccountKey, AccountRow, HolderIndex, PersonRow
from streams.core.access.state.staff import StaffMember
from streams.core.access.state.tenant import TenantState

T = TypeVar("T", str, AccountKey)


def lookup_addresses(account: AccountRow, aliases: Mapping[str, str]) -> set[str]:
    """Return every address an account's owner may be looked up under."""
    address = value(account.fields, "normal")
    if address is None:
        return set()
    return {form for form in (address, aliased(address, aliases), untagged(address)) if form}


def put_account(state: TenantState, before: AccountRow | None, after: AccountRow, *, aliases: Mapping[str, str]) -> None:
    """Put an account's row, and update the references to it."""
    key = (after.app_id, after.id)
    if before is None or before.fields is not after.fields:
        _index_addresses(state, key, lookup_addresses(before, aliases) if before else set(), lookup_addresses(after, aliases))
    _index_people(state, key, _people(before), _people(after))
    state.accounts.put(after, *key)


def move_to_aliases(
    state: TenantState, accounts: Iterable[AccountKey], before: Mapping[str, str], after: Mapping[str, str]
) -> None:
    """Move accounts to the addresses they are looked up under once other domains are aliases."""
    for key in accounts:
        account = state.accounts.get(*key)
        if account is not None:
            _index_addresses(state, key, lookup_addresses(account, before), lookup_addresses(account, after))


def _index_addresses(state: TenantState, key: AccountKey, old: set[str], new: set[str]) -> None:
    for address in sorted(old ^ new):
        index = state.addresses.holders(address)
        accounts = _with_holder(index.accounts, key, present=address in new)
        state.addresses.put(msgspec.structs.replace(index, accounts=accounts), address)


def index_person(state: TenantState, person: PersonRow, before: StaffMember | None, after: StaffMember | None) -> set[AccountKey]:
    """Update the references to a person's addresses and numbers; return the accounts whose answers may change."""
    old, new = (before.addresses if before else frozenset()), (after.addresses if after else frozenset())
    affected = set(person.accounts)
    for address in sorted(old | new):
        index = state.addresses.holders(address)
        affected |= set(index.accounts)
        people = _with_holder(index.people, person.id, present=address in new)
        if people != index.people:
            state.addresses.put(msgspec.structs.replace(index, people=people), address)
    for number in sorted(_numbers(before) ^ _numbers(after)):
        people = _with_holder(state.employee_numbers.holders(number).people, person.id, present=number in _numbers(after))
        state.employee_numbers.put(HolderIndex(people=people), number)
    return affected


def _numbers(member: StaffMember | None) -> set[str]:
    return {number for record in member.records if (number := value(record.fields, "employee"))} if member else set()


def _people(account: AccountRow | None) -> set[str]:
    if account is None:
        return set()
    linked = account.link.value if account.link else None
    return {person for person in (account.matched, linked) if person}


def _index_people(state: TenantState, key: AccountKey, old: set[str], new: set[str]) -> None:
    for person in sorted(old ^ new):
        row = state.people.get(person)
        if row is not None:
            accounts = _with_holder(row.accounts, key, present=person in new)
            state.people.put(msgspec.structs.replace(row, accounts=accounts), person)


def _with_holder(holders: tuple[T, ...], holder: T, *, present: bool) -> tuple[T, ...]:
    others = {each for each in holders if each != holder}
    return tuple(sorted(others | {holder} if present else others))
