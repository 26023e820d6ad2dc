"""The table's cross references: which staff and which accounts an address leads to, and which accounts keep to which person.

They are what makes a change of one row find everything it may change the answer of, without a walk over the tenant.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from streams.core.access.state.addresses import aliased, untagged
from streams.core.access.state.fields import value
from streams.core.access.state.rows import AccountRow, HolderIndex, PersonRow
from streams.core.access.state.staff import StaffMember
from streams.core.access.state.tenant import State

Key = tuple[str, str]
T = TypeVar("T", str, Key)


def lookup_addresses(account: AccountRow, aliases: Mapping[str, str]) -> set[str]:
    """Return every address an account's owner may be looked up under."""
    address = value(account.fields, "normal")
    if address is None:
        return set()
    return {form for form in (address, aliased(address, aliases), untagged(address)) if form}


def index_account(state: State, before: AccountRow | None, after: AccountRow, *, aliases: Mapping[str, str]) -> None:
    """Put an account's row, and follow it in the references."""
    key = (after.app_id, after.id)
    if before is None or before.fields is not after.fields:
        _index_addresses(state, key, lookup_addresses(before, aliases) if before else set(), lookup_addresses(after, aliases))
    _index_people(state, key, _people(before), _people(after))
    state.put_account(after)


def index_aliases(state: State, accounts: Iterable[Key], before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Move accounts to the addresses they are looked up under once other domains are aliases."""
    for key in accounts:
        account = state.account(key)
        if account is None:
            continue
        _index_addresses(state, key, lookup_addresses(account, before), lookup_addresses(account, after))


def _index_addresses(state: State, key: Key, old: set[str], new: set[str]) -> None:
    for form in sorted(old ^ new):
        row = state.address(form)
        state.put_address(form, msgspec.structs.replace(row, accounts=_with_holder(row.accounts, key, present=form in new)))


def index_person(state: State, person: PersonRow, before: StaffMember | None, after: StaffMember | None) -> set[Key]:
    """Follow a staff member's addresses and numbers in the references; return the accounts whose answers may change."""
    old, new = (before.addresses if before else frozenset()), (after.addresses if after else frozenset())
    touched = set(person.accounts)
    for address in sorted(old | new):
        row = state.address(address)
        touched |= set(row.accounts)
        people = _with_holder(row.people, person.id, present=address in new)
        if people != row.people:
            state.put_address(address, msgspec.structs.replace(row, people=people))
    for number in sorted(_numbers(before) ^ _numbers(after)):
        holders = state.employee(number)
        state.put_employee(number, HolderIndex(people=_with_holder(holders.people, person.id, present=number in _numbers(after))))
    return touched


def _numbers(member: StaffMember | None) -> set[str]:
    return {number for record in member.records if (number := value(record.fields, "employee"))} if member else set()


def _people(account: AccountRow | None) -> set[str]:
    if account is None:
        return set()
    linked = account.link.value if account.link else None
    return {person for person in (account.matched, linked) if person}


def _index_people(state: State, key: Key, old: set[str], new: set[str]) -> None:
    for person in sorted(old ^ new):
        row = state.person(person)
        if row is not None:
            state.put_person(msgspec.structs.replace(row, accounts=_with_holder(row.accounts, key, present=person in new)))


def _with_holder(holders: tuple[T, ...], holder: T, *, present: bool) -> tuple[T, ...]:
    rest = {each for each in holders if each != holder}
    return tuple(sorted(rest | {holder} if present else rest))
