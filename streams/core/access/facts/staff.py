"""Facts about staff: an observation is merged into its source's record, and the record's deadline is armed."""

import msgspec

from schemas.access.facts import Fact
from streams.core.access.checks import deadlines
from streams.core.access.facts import freshness
from streams.core.access.facts.effect import Effect
from streams.core.access.state.directory import Directory
from streams.core.access.state.observation import first_record, merge_record, observed_again, whole
from streams.core.access.state.references import is_shared, put_if_new, put_record
from streams.core.access.state.row_kinds.assertion import StaffAssertion, assertion_of
from streams.core.access.state.row_kinds.staff_rows import AnyRecord, UnchangedRecord
from streams.core.access.state.staff import describes_alike, number_of, remembered
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
    key, assertion = (data.source, data.record), assertion_of(fact)
    row, reader = state.records.get(*key), StaffReader(state)
    if row is None:
        return _put_first(state, reader, first_record(state.tenant, assertion, time=time, source=source, listed=listed), now)
    again = observed_again(row, assertion, time=time, source=source, listed=listed)
    before: AnyRecord
    after: AnyRecord
    if again is None:
        before = whole(row)
        after = merge_record(before, assertion, time=time, source=source, listed=listed)
    else:
        before, after = row, again
    if after == before:
        return Effect("superseded")
    after = remembered(after, reader.snapshots(data.source))
    held, new = reader.employment(before, without=listed), reader.employment(after)
    was = held if listed is None or not reader.absence_ends(data.source) else reader.employment(before)
    if was.end != new.end:
        after = msgspec.structs.replace(after, ending=source)
    is_alike = again is not None or describes_alike(whole(before), whole(after))
    if before.sights[-1] <= time and held == new and is_alike and _is_ranked_alike(state, assertion, before, after):
        state.records.put(after, *key)
        return Effect("applied")  # no answer changes, and none rests on the snapshot that lists it yet
    return _put(state, reader, before, after, now)


def _is_ranked_alike(state: TenantState, assertion: StaffAssertion, before: AnyRecord, after: AnyRecord) -> bool:
    """Say whether it does not matter when the roles were asserted last: it does among the records of one person."""
    if "roles" not in assertion.data.asserts or not is_shared(state, (after.source, after.id), after.ever, _numbers(after)):
        return True
    return whole(before).roles == whole(after).roles


def _numbers(row: AnyRecord) -> tuple[str, ...]:
    number = number_of(row)
    return () if number is None else (number,)


def _put_first(state: TenantState, reader: StaffReader, row: UnchangedRecord, now: int) -> Effect:
    """Put a record that was not there. One that shares nothing, as nearly all of a first import, joins and parts nobody."""
    accounts = put_if_new(state, row)
    if accounts is None:
        return _put(state, reader, None, row, now)
    deadlines.arm_record(state, row, reader.employment(row), now)
    return Effect("applied", accounts=accounts)


def _put(state: TenantState, reader: StaffReader, before: AnyRecord | None, row: AnyRecord, now: int) -> Effect:
    old, new = Directory(state, reader), reader.read(whole(row))
    key, was = new.key, old.record(new.key) if before else None
    addresses, numbers = (
        {*new.row.ever, *(was.row.ever if was else ())},
        {each.number for each in (was, new) if each and each.number},
    )
    shared = is_shared(state, key, addresses, numbers)
    covered = False
    if was is not None:
        alike = (was.row.ever, was.number, was.withdrawn) == (new.row.ever, new.number, new.withdrawn)
        covered = alike and bool(new.end or not was.end)
    # It joins and parts the same people, and names no fewer as leavers: the rows after it lead to all accounts concerned.
    accounts: set[AccountKey] = set() if covered else old.accounts_near(key, addresses, numbers, shared=shared)
    put_record(state, before, row)
    directory = Directory.after(state, new)
    deadlines.arm_record(state, row, new.employment, now)
    accounts |= directory.accounts_near(key, addresses, numbers, shared=shared)
    return Effect("applied", accounts=accounts, directory=directory)
