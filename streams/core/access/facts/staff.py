"""Facts about staff: an observation is merged into its source's record, and the record's deadline is armed."""

import msgspec

from schemas.access.facts import Fact
from streams.core.access.checks import deadlines
from streams.core.access.facts import freshness
from streams.core.access.facts.effect import Effect
from streams.core.access.state.directory import Directory
from streams.core.access.state.observation import StaffObservation, first_record, merge_record, observed_again, whole
from streams.core.access.state.references import former_numbers, is_shared, put_if_new, put_record
from streams.core.access.state.row_kinds.assertion import StaffAssertion, assertion_of, encoded
from streams.core.access.state.row_kinds.staff_rows import AnyRecord, UnchangedRecord
from streams.core.access.state.staff import describes_alike, number_of, remembered
from streams.core.access.state.staff_reader import StaffReader
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import AccountKey, FactReference, encoded_reference


def record(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `staff.record`. Where its source was stale, the answers about everybody may change."""
    data = fact.record
    assert data is not None
    everybody = freshness.observed(state, data.source, source.date, fact.id, now)
    assertion = assertion_of(fact)
    observation = StaffObservation((data.source, data.record), encoded(assertion), source.date, encoded_reference(source))
    effect = observed(state, observation, StaffReader(state), now, assertion=assertion)
    return msgspec.structs.replace(effect, all_accounts=True) if everybody else effect


def observed(
    state: TenantState, observation: StaffObservation, reader: StaffReader, now: int, *, assertion: StaffAssertion | None = None
) -> Effect:
    """Apply an observation of a source's record. `reader` may have read snapshots and no record, `assertion` is the observation's if it is decoded."""
    row, number = state.records.get(*observation.key), observation.listed
    if row is None:
        first = first_record(state.tenant, observation, assertion or observation.assertion)
        return _put_first(state, reader, first, now)
    again = observed_again(row, observation)
    if again is not None and reader.is_steady(again, without=number) and not _is_shared(state, again):
        state.records.put(remembered(again, reader.snapshots(again.source)), *observation.key)
        return Effect("applied")  # no answer changes, and none rests on the snapshot that lists it yet
    before: AnyRecord = whole(row) if again is None else row
    after: AnyRecord = merge_record(whole(row), observation) if again is None else again
    if after == before:
        return Effect("superseded")
    after = remembered(after, reader.snapshots(row.source))
    held, new = reader.employment(before, without=number), reader.employment(after)
    was = held if number is None or not reader.absence_ends(row.source) else reader.employment(before)
    if was.end != new.end:
        after = msgspec.structs.replace(after, ending=observation.source)
    is_alike = again is not None or describes_alike(whole(before), whole(after))
    if before.sights[-1] <= observation.time and held == new and is_alike and _is_ranked_alike(state, before, after):
        state.records.put(after, *observation.key)
        return Effect("applied")  # as above
    return _put(state, before, after, now)


def _is_ranked_alike(state: TenantState, before: AnyRecord, after: AnyRecord) -> bool:
    """Say whether it does not matter when the roles were asserted last: it does among the records of one person."""
    return not _is_shared(state, after) or whole(before).roles == whole(after).roles


def _is_shared(state: TenantState, row: AnyRecord) -> bool:
    return is_shared(state, (row.source, row.id), row.ever, _numbers(row))


def _numbers(row: AnyRecord) -> tuple[str, ...]:
    number = number_of(row)
    return () if number is None else (number,)


def _put_first(state: TenantState, reader: StaffReader, row: UnchangedRecord, now: int) -> Effect:
    """Put a record that was not there. One that shares nothing, as nearly all of a first import, joins and parts nobody."""
    accounts = put_if_new(state, row)
    if accounts is None:
        return _put(state, None, row, now)
    if not reader.is_endless(row):
        deadlines.arm_record(state, row, reader.employment(row), now)
    return Effect("applied", accounts=accounts)


def _put(state: TenantState, before: AnyRecord | None, row: AnyRecord, now: int) -> Effect:
    reader = StaffReader(state)
    old, new = Directory(state, reader), reader.read(whole(row))
    key, was = new.key, old.record(new.key) if before else None
    addresses = {*new.row.ever, *(was.row.ever if was else ())}
    numbers = {number for each in (was, new) if each for number in (each.number, *former_numbers(each.row)) if number}
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
