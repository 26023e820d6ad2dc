"""Facts about staff: an observation is merged into its source's record, and the record's deadline is armed."""

import msgspec

from schemas.access.facts import Fact
from streams.core.access.checks import deadlines
from streams.core.access.facts import freshness
from streams.core.access.facts.effect import Effect
from streams.core.access.state.directory import Directory
from streams.core.access.state.references import put_record
from streams.core.access.state.rows import StaffRecord
from streams.core.access.state.staff import Record, merge_record
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
    return _put(state, row, after, source, now)


def _put(state: TenantState, before: StaffRecord | None, after: StaffRecord, source: FactReference, now: int) -> Effect:
    key, old = (after.source, after.id), Directory(state)
    was, new = old.record(key), old.read(after)
    row = msgspec.structs.replace(after, ending=source) if was is None or was.end != new.end else after
    if was is not None and _read_alike(was, new):
        state.records.put(row, *key)
        return Effect("applied")
    addresses, numbers = {*row.ever, *(was.row.ever if was else ())}, {each.number for each in (was, new) if each and each.number}
    if was is None:
        covered = not old.is_shared(addresses, numbers)
    else:
        alike = (was.row.ever, was.number, was.withdrawn) == (new.row.ever, new.number, new.withdrawn)
        covered = alike and bool(new.end or not was.end)
    # It joins and parts the same people (a new one nobody), and names no fewer as leavers: the rows after it lead to all accounts concerned.
    accounts: set[AccountKey] = set() if covered else old.accounts_near(key, addresses, numbers)
    put_record(state, before, row)
    directory = Directory.after(state, new._replace(row=row))
    deadlines.arm_record(state, directory, key, now)
    return Effect("applied", accounts=accounts | directory.accounts_near(key, addresses, numbers), directory=directory)


def _read_alike(was: Record, new: Record) -> bool:
    """Say whether a record reads as before: it was observed again, and nothing that an answer rests on has changed."""
    values = [{name: field.value for name, field in record.row.fields.items()} for record in (was, new)]
    return values[0] == values[1] and was.row.ever == new.row.ever and was._replace(row=new.row) == new
