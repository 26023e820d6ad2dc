"""The stages of snapshots: discard those that took too long; at an end, count the rows, apply a staff source's, and withdraw absent ones.

The further stages of teammates are in `teammate_stages`.
"""

import msgspec

from schemas.access.facts import snapshot_hash
from streams.core.access.checks import deadlines
from streams.core.access.facts import freshness, staff
from streams.core.access.facts.snapshots import StagedSnapshot, observation_of, snapshot_of, staged_snapshot, stale_ids
from streams.core.access.processing.chunk import APPLIED, Chunk
from streams.core.access.processing.guard import refuses, waits_behind
from streams.core.access.state.directory import Directory
from streams.core.access.state.history import REMEMBERED
from streams.core.access.state.row_kinds.work_rows import SnapshotPage, SnapshotStaging
from streams.core.access.state.rows import SourceRow
from streams.core.access.state.staff import without_snapshot
from streams.core.access.state.staff_reader import StaffReader
from streams.core.access.state.stage import Stage
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import AccountKey, AppliedSnapshot, SnapshotProblem


def discard_stale(chunk: Chunk) -> Stage:
    """Delete what was staged of this staff source's snapshots that took too long. Those of teammates have timers."""
    if chunk.fact.snapshot is None or not chunk.fact.kind.startswith("staff."):
        return Stage.APPLY
    source, rows = chunk.fact.snapshot.source, chunk.state.backlog.staff_snapshots
    for id_ in stale_ids(rows, source, chunk.now):
        if chunk.budget <= 0 or not discard(chunk, StagedSnapshot(rows, source, id_, of_teammates=False)):
            return Stage.DISCARD_STALE
    return Stage.APPLY


def discard(chunk: Chunk, snapshot: StagedSnapshot) -> bool:
    """Delete what was staged of a snapshot, as far as the budget allows; return whether all of it is deleted."""
    for item in chunk.spend(snapshot.rows.staged.keys(snapshot.scope, snapshot.id)):
        snapshot.rows.staged.delete(snapshot.scope, snapshot.id, item)
    if not chunk.has_more:
        snapshot.forget()
    return not chunk.has_more


def count_rows(chunk: Chunk) -> Stage:
    """Collect the ids of the staged rows, and compare them with the count and hash of the snapshot's end."""
    end, snapshot = snapshot_of(chunk.fact), staged_snapshot(chunk.state, chunk.fact)
    scope, pages = snapshot.scope, snapshot.rows.pages
    found = chunk.spend(snapshot.rows.staged.keys(scope, end.id, after=chunk.cursor))
    ids = tuple(item.partition("|")[2] for item in found)  # a key ends with the fact's id
    if chunk.has_more:
        pages.put(SnapshotPage(ids), scope, end.id, found[0])
        chunk.cursor = found[-1]
        return Stage.COUNT_ROWS
    earlier = list(pages.walk(scope, end.id))
    all_ids = [*(id_ for _, page in earlier for id_ in page.ids), *ids]
    for first, _ in earlier:
        pages.delete(scope, end.id, first)
    if end.count != len(all_ids) or end.hash != snapshot_hash(all_ids):
        chunk.outcome = "refused"
        return Stage.EVALUATE
    if snapshot.of_teammates:
        return Stage.COUNT_ABSENT
    return Stage.COUNT_WITHDRAWN


def count_withdrawn(chunk: Chunk) -> Stage:
    """Count who is employed by the source's records, and those of them that the snapshot would withdraw; refuse it where they are too many."""
    state, snapshot, reader = chunk.state, staged_snapshot(chunk.state, chunk.fact), StaffReader(chunk.state)
    staging = _staging(snapshot)
    records = chunk.spend(state.records.walk(snapshot.scope, after=chunk.cursor))
    employed = [(id_, row) for id_, row in records if reader.is_employed(row, chunk.now)]
    absent = snapshot.lacking(id_ for id_, row in employed if staging.requested > row.sights[-1])
    chunk.cursor = records[-1][0] if records else chunk.cursor
    staging = msgspec.structs.replace(staging, heads=staging.heads + len(employed), absent=staging.absent + len(absent))
    snapshot.put(staging)
    if chunk.has_more:
        return Stage.COUNT_WITHDRAWN
    known = state.sources.get(snapshot.scope) or SourceRow()
    waiting = known.problem if waits_behind(known.problem, snapshot.id, staging.requested, state.rules_version) else None
    if refuses(staging, state.read_settings.guard):
        snapshot.put(msgspec.structs.replace(staging, refused=True))
        problem = SnapshotProblem(
            "refused", snapshot.id, chunk.now, chunk.source, staging.heads, staging.absent, staging.requested
        )
        state.sources.put(msgspec.structs.replace(known, problem=waiting or problem), snapshot.scope)
        chunk.accounts |= _workspaces(state)
        chunk.outcome = "refused"
        return Stage.EVALUATE
    snapshots = sorted((*known.snapshots, AppliedSnapshot(staging.requested, snapshot.id, known.applied)))
    is_answered = known.problem is not None and waiting is None
    accepted = chunk.now if is_answered else known.accepted
    state.sources.put(SourceRow(tuple(snapshots), known.applied + 1, waiting, accepted), snapshot.scope)
    if is_answered:
        chunk.accounts |= _workspaces(state)
    chunk.all_accounts = freshness.observed(state, snapshot.scope, staging.requested, chunk.fact.id, chunk.now)
    return Stage.APPLY_ROWS


def _workspaces(state: TenantState) -> set[AccountKey]:
    """Return the keys of the workspaces, as accounts without id: what is known of a source's staff decides their answers.

    They are evaluated behind the rows: a record that is not applied yet would look withdrawn.
    """
    return {(app_id, "") for app_id, _ in state.workspaces.walk()}


def _staging(snapshot: StagedSnapshot) -> SnapshotStaging:
    staging = snapshot.staging()
    assert staging is not None
    return staging


def apply_rows(chunk: Chunk) -> Stage:
    """Apply the staged records as of the snapshot's request."""
    end, staged, number = snapshot_of(chunk.fact), chunk.state.backlog.staff_snapshots.staged, _number(chunk)
    requested = _staging(staged_snapshot(chunk.state, chunk.fact)).requested
    rows, reader = chunk.spend(staged.walk(end.source, end.id, after=chunk.cursor), APPLIED), StaffReader(chunk.state)
    for item, row in rows:
        observation = observation_of(end.source, item, row, requested, number)
        chunk.accounts |= staff.observed(chunk.state, observation, reader, chunk.now).accounts
    for item, _ in rows:
        staged.delete(end.source, end.id, item)
        chunk.cursor = item
    return Stage.APPLY_ROWS if chunk.has_more else Stage.WITHDRAW_ABSENT


def withdraw_absent(chunk: Chunk) -> Stage:
    """Find the accounts of the source's records that the snapshot does not have: their absence may change answers.

    Where there are many snapshots, the oldest is forgotten.
    """
    end = snapshot_of(chunk.fact)
    number, directory = _number(chunk), Directory(chunk.state)
    known = chunk.state.sources.get(end.source)
    assert known is not None
    forgotten = known.snapshots[0] if len(known.snapshots) > REMEMBERED else None
    requested = _staging(staged_snapshot(chunk.state, chunk.fact)).requested
    for id_, record in chunk.spend(chunk.state.records.walk(end.source, after=chunk.cursor)):
        if requested > record.sights[0] and number not in record.listed:
            deadlines.arm_record(chunk.state, record, directory.reader.employment(record), chunk.now)
            chunk.accounts |= directory.accounts_of((end.source, id_))
        kept = without_snapshot(record, forgotten) if forgotten else record
        if kept is not record:
            chunk.state.records.put(kept, end.source, id_)
        chunk.cursor = id_
    if chunk.has_more:
        return Stage.WITHDRAW_ABSENT
    if forgotten:
        chunk.state.sources.put(msgspec.structs.replace(known, snapshots=known.snapshots[1:]), end.source)
    staged_snapshot(chunk.state, chunk.fact).forget()
    return Stage.EVALUATE


def _number(chunk: Chunk) -> int:
    """Return the number of the snapshot that is applied."""
    end = snapshot_of(chunk.fact)
    source = chunk.state.sources.get(end.source)
    return next((each.number for each in source.snapshots if each.id == end.id), source.applied - 1) if source else 0
