"""The stages of snapshots: discard those that took too long; at an end, count the records, apply them, and withdraw those it lacks."""

import msgspec

from schemas.access.facts import decode_raw, snapshot_hash
from streams.core.access.checks import deadlines
from streams.core.access.facts import staff
from streams.core.access.facts.staff_snapshots import is_stale, snapshot_of
from streams.core.access.processing.chunk import Chunk
from streams.core.access.state.directory import Directory
from streams.core.access.state.history import REMEMBERED
from streams.core.access.state.rows import SnapshotPage, SourceRow
from streams.core.access.state.stage import Stage
from streams.core.access.state.values import AppliedSnapshot


def discard_stale(chunk: Chunk) -> Stage:
    """Delete what was staged of this source's snapshots that took too long."""
    snapshot, backlog = chunk.fact.snapshot, chunk.state.backlog
    stale = [id_ for id_, staging in backlog.stagings.walk(snapshot.source) if is_stale(staging, chunk.now)] if snapshot else []
    for id_ in stale:
        assert snapshot is not None
        if chunk.budget <= 0:
            return Stage.DISCARD_STALE
        for item, _ in chunk.spend(backlog.staged.walk(snapshot.source, id_)):
            backlog.staged.delete(snapshot.source, id_, item)
        if chunk.has_more:
            return Stage.DISCARD_STALE
        backlog.stagings.delete(snapshot.source, id_)
    return Stage.APPLY


def count_rows(chunk: Chunk) -> Stage:
    """Collect the ids of the staged records, and compare them with the count and hash of the snapshot's end."""
    end, backlog = snapshot_of(chunk.fact), chunk.state.backlog
    ids = tuple(id_ for id_, _ in chunk.spend(backlog.staged.walk(end.source, end.id, after=chunk.cursor)))
    if chunk.has_more:
        backlog.pages.put(SnapshotPage(ids), end.source, end.id, ids[0])
        chunk.cursor = ids[-1]
        return Stage.COUNT_ROWS
    pages = list(backlog.pages.walk(end.source, end.id))
    all_ids = [*(id_ for _, page in pages for id_ in page.ids), *ids]
    for first, _ in pages:
        backlog.pages.delete(end.source, end.id, first)
    if end.count != len(all_ids) or end.hash != snapshot_hash(all_ids):
        chunk.outcome = "refused"
        return Stage.EVALUATE
    known = chunk.state.sources.get(end.source) or SourceRow()
    snapshots = sorted((*known.snapshots, AppliedSnapshot(end.requested, end.id, known.applied)))
    chunk.state.sources.put(SourceRow(tuple(snapshots[-REMEMBERED:]), known.applied + 1), end.source)
    return Stage.APPLY_ROWS


def apply_rows(chunk: Chunk) -> Stage:
    """Apply the staged records as of the snapshot's request."""
    end, staged, number = snapshot_of(chunk.fact), chunk.state.backlog.staged, _number(chunk)
    for id_, row in chunk.spend(staged.walk(end.source, end.id, after=chunk.cursor)):
        fact = decode_raw(row.fact)
        source = msgspec.structs.replace(row.source, date=end.requested)
        chunk.accounts |= staff.observed(chunk.state, fact, source, end.requested, chunk.now, listed=number).accounts
        staged.delete(end.source, end.id, id_)
        chunk.cursor = id_
    return Stage.APPLY_ROWS if chunk.has_more else Stage.WITHDRAW_ABSENT


def withdraw_absent(chunk: Chunk) -> Stage:
    """Find the accounts of the source's records that the snapshot does not have: their absence may change answers."""
    end = snapshot_of(chunk.fact)
    number, directory = _number(chunk), Directory(chunk.state)
    for id_, record in chunk.spend(chunk.state.records.walk(end.source, after=chunk.cursor)):
        if end.requested > record.sights[0] and number not in record.listed:
            deadlines.arm_record(chunk.state, directory, (end.source, id_), chunk.now)
            chunk.accounts |= directory.accounts_of((end.source, id_))
        chunk.cursor = id_
    if chunk.has_more:
        return Stage.WITHDRAW_ABSENT
    chunk.state.backlog.stagings.delete(end.source, end.id)
    return Stage.EVALUATE


def _number(chunk: Chunk) -> int:
    """Return the number of the snapshot that is applied."""
    end = snapshot_of(chunk.fact)
    source = chunk.state.sources.get(end.source)
    return next((each.number for each in source.snapshots if each.id == end.id), source.applied - 1) if source else 0
