"""The table's cross references: the records and accounts that an address, an employee number or a link leads to.

With them, a change of one row finds everything whose answers it may change, without a walk over the tenant.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from streams.core.access.state.addresses import related, untagged
from streams.core.access.state.row_kinds.activity_rows import InviteRow
from streams.core.access.state.row_kinds.grant_rows import ExemptionRow
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.row_kinds.staff_rows import AnyRecord, UnchangedRecord
from streams.core.access.state.rows import AccountRow, HolderIndex, RecordId
from streams.core.access.state.staff import number_of
from streams.core.access.state.tenant import HolderIndexes, TenantState
from streams.core.access.state.values import AccountKey, RecordKey

T = TypeVar("T", AccountKey, RecordKey)


def is_shared(state: TenantState, key: RecordKey, addresses: Iterable[str], numbers: Iterable[str]) -> bool:
    """Say whether another record has one of these addresses or employee numbers. Nearly none has."""
    for address in addresses:
        if (holders := state.addresses.holders(address).records) and holders != (key,):
            return True
    return any((numbered(state, each) - {key}) for each in numbers)


def numbered(state: TenantState, number: str) -> set[RecordKey]:
    """Return the records that have an employee number, or had it."""
    index = state.employee_numbers.holders(number)
    return {*index.records, *index.former}


def put_if_new(state: TenantState, row: AnyRecord) -> set[AccountKey] | None:
    """Put a record that was not there, and return the accounts that it names; None, without a change, where it shares something.

    It is what `is_shared`, `put_record` and `accounts_named` do one after the other, with each index read once.
    """
    key, aliases, numbers = (row.source, row.id), state.read_settings.aliases, _numbers(row)
    addresses = {address: state.addresses.holders(address) for address in row.ever}
    if any(index.records for index in addresses.values()) or any(numbered(state, each) for each in numbers):
        return None
    for address, index in addresses.items():
        state.addresses.put(HolderIndex((key,), index.accounts), address)
    for number in numbers:
        state.employee_numbers.put(HolderIndex((key,)), number)
    state.record_ids.put(RecordId(*key), row.person)
    state.records.put(row, *key)
    accounts = {account for index in (*addresses.values(), state.links.holders(row.person)) for account in index.accounts}
    return accounts_named(state, row.ever, (row.person,)) if aliases else accounts


def accounts_named(state: TenantState, addresses: Iterable[str], people: Iterable[str]) -> set[AccountKey]:
    """Return the accounts that have, or had, one of these addresses in any form, or about which a decision names one of these people."""
    aliases = state.read_settings.aliases
    indexes = [state.addresses.holders(each) for address in addresses for each in related(address, aliases)]
    return {account for index in (*indexes, *map(state.links.holders, people)) for account in index.accounts}


def put_account(state: TenantState, before: AccountRow | None, after: AccountRow) -> None:
    """Put an account's row, and update the references to it."""
    key = (after.app_id, after.id)
    _move(state.addresses, key, _named(before), _named(after), _with_account)
    old, new = _decided(before), _decided(after)
    if not old <= new:
        new |= {staff for _, row in state.exemptions.walk(*key) for staff in _exempted(row)}
    _move(state.links, key, old, new, _with_account)
    state.accounts.put(after, *key)


def put_exemption(state: TenantState, key: tuple[str, str, str], after: ExemptionRow) -> None:
    """Put an exemption of an account or a workspace, by its granting fact; whom it names leads to the account from then on."""
    if after.account:
        _move(state.links, (after.app_id, after.account), set(), _exempted(after), _with_account)
    state.exemptions.put(after, *key)


def put_record(state: TenantState, before: AnyRecord | None, after: AnyRecord) -> None:
    """Put a staff record, and update the references to it."""
    key = (after.source, after.id)
    _move(state.addresses, key, set(before.ever if before else ()), set(after.ever), _with_record)
    _move(state.employee_numbers, key, _numbers(before), _numbers(after), _with_record)
    if follows(state.rules_version, WITH_DOUBT):
        _move(state.employee_numbers, key, former_numbers(before), former_numbers(after), _with_former)
    if before is None:
        state.record_ids.put(RecordId(after.source, after.id), after.person)
    state.records.put(after, *key)


def put_invite(state: TenantState, key: tuple[str, str], after: InviteRow) -> None:
    """Put an invitation of a workspace; its address leads to the workspace as to an account without id."""
    if after.is_named:
        _move(state.addresses, (key[0], ""), set(), {key[1]}, _with_account)
    state.invites.put(after, *key)


def delete_invite(state: TenantState, key: tuple[str, str]) -> None:
    """Delete an invitation of a workspace that names somebody; its address leads to the workspace no more."""
    _move(state.addresses, (key[0], ""), {key[1]}, set(), _with_account)
    state.invites.delete(*key)


def _named(account: AccountRow | None) -> set[str]:
    """Return the addresses that lead to an account: those it has or had, and without their plus tags, by which it may be somebody's."""
    ever = account.ever if account else ()
    return {*ever, *(bare for address in ever if (bare := untagged(address)))}


def _decided(account: AccountRow | None) -> set[str]:
    """Return the people whom decisions about an account name: its owner by a link, and who answers for it."""
    if account is None:
        return set()
    named = (account.link and account.link.value, account.classification and account.classification.owner)
    return {staff for staff in named if staff}


def _exempted(row: ExemptionRow) -> set[str]:
    """Return the people whom an exemption rests on: the owner it was given for, and those whom links behind it name."""
    return {staff for staff in (row.staff, *(link.name for link in row.links)) if staff}


def _numbers(record: AnyRecord | None) -> set[str]:
    number = number_of(record) if record else None
    return set() if number is None else {number}


def former_numbers(record: AnyRecord | None) -> set[str]:
    """Return the employee numbers that a record had and has no more."""
    if record is None or isinstance(record, UnchangedRecord) or len(record.employee) <= 1:
        return set()
    return {each.value for each in record.employee} - _numbers(record)


def _move(
    indexes: HolderIndexes, key: T, old: set[str], new: set[str], with_holder: Callable[[HolderIndex, T, bool], HolderIndex]
) -> None:
    for name in sorted(old ^ new):
        indexes.put(with_holder(indexes.holders(name), key, name in new), name)


def _with_account(index: HolderIndex, key: AccountKey, present: bool) -> HolderIndex:
    return msgspec.structs.replace(index, accounts=_with(index.accounts, key, present))


def _with_record(index: HolderIndex, key: RecordKey, present: bool) -> HolderIndex:
    return msgspec.structs.replace(index, records=_with(index.records, key, present))


def _with_former(index: HolderIndex, key: RecordKey, present: bool) -> HolderIndex:
    return msgspec.structs.replace(index, former=_with(index.former, key, present))


def _with(holders: tuple[T, ...], holder: T, present: bool) -> tuple[T, ...]:
    if present and not holders:
        return (holder,)
    others = {each for each in holders if each != holder}
    return tuple(sorted(others | {holder} if present else others))
