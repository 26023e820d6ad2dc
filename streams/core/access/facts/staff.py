"""Facts about staff: an observation is merged into its source's record, and the record's deadline is armed."""

import msgspec

from schemas.access.facts import Fact
from streams.core.access.checks import deadlines
from streams.core.access.facts import freshness
from streams.core.access.facts.effect import Effect
from streams.core.access.state.directory import Directory
from streams.core.access.state.references import put_record
from streams.core.access.state.rows import StaffRecord
from streams.core.access.state.staff import Record, merge_record, number_of
from streams.core.access.state.staff_reader import StaffReader
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import AccountKey, FactReference


def record(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `staff.record`. Where its source was stale, the answers about everybody may change."""
    assert fact.record is not None
    everybody = freshness.observed(state, fact.record.source, source.date, fact.id, now)
    effect = observed(state, fact, source, source.date, now)
    return msgspec.structs.replace(effect, all_accounts=True) if everybody else effect


def observed(state: TenantState, fact: Fact, source: FactReference, time: int, now: int, *, listed: int | None = None) -> Effect:
    """Apply an observation of a source's record as of `time` (ms, the source's clock)."""
    data = fact.record
    assert data is not None
    key = (data.source, data.record)
    row = state.records.get(*key)
    after = merge_record(row, state.tenant, fact, data, time=time, source=source, listed=listed)
    if after == row:
        return Effect("superseded")
    reader = StaffReader(state)
    if row is None or reader.end_of(row) != reader.end_of(after):
        after = msgspec.structs.replace(after, ending=source)
    old = Directory(state, reader)
    if (
        row is not None
        and row.sights[-1] <= time
        and reader.reads_alike(row, after, listed)
        and (row.roles == after.roles or _is_alone(old, after))
    ):
        state.records.put(after, *key)
        return Effect("applied")  # no answer changes: when roles were asserted last decides between records of one person alone
    return _put(state, old, row, reader.read(after), now)


def _is_alone(directory: Directory, row: StaffRecord) -> bool:
    number = number_of(row)
    return not directory.is_shared((row.source, row.id), row.ever, () if number is None else (number,))


def _put(state: TenantState, old: Directory, before: StaffRecord | None, new: Record, now: int) -> Effect:
    key, was = new.key, old.record(new.key) if before else None
    addresses, numbers = (
        {*new.row.ever, *(was.row.ever if was else ())},
        {each.number for each in (was, new) if each and each.number},
    )
    if was is None:
        covered = not old.is_shared(key, addresses, numbers)
    else:
        alike = (was.row.ever, was.number, was.withdrawn) == (new.row.ever, new.number, new.withdrawn)
        covered = alike and bool(new.end or not was.end)
    # It joins and parts the same people (a new one nobody), and names no fewer as leavers: the rows after it lead to all accounts concerned.
    accounts: set[AccountKey] = set() if covered else old.accounts_near(key, addresses, numbers)
    put_record(state, before, new.row)
    directory = Directory.after(state, new)
    deadlines.arm_record(state, directory, key, now)
    return Effect("applied", accounts=accounts | directory.accounts_near(key, addresses, numbers), directory=directory)
