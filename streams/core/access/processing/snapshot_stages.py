"""The stages at the end of a snapshot: count its records, apply them, withdraw the records it lacks, or discard it."""

from schemas.access.facts import decode_raw, snapshot_hash
from streams.core.access.facts import staff
from streams.core.access.facts.staff_snapshots import snapshot_of
from streams.core.access.processing.chunk import Chunk
from streams.core.access.state.rows import SnapshotPage, SnapshotStaging
from streams.core.access.state.stage import Stage


def count_rows(chunk: Chunk) -> Stage:
    """Collect the ids of the staged records, and compare them with the count and hash of the snapshot's end."""
    end, backlog = snapshot_of(chunk.fact), chunk.state.backlog
    ids = tuple(id_ for id_, _ in chunk.spend(backlog.staged.walk(chunk.snapshot, after=chunk.cursor)))
    if chunk.has_more:
        backlog.pages.put(SnapshotPage(ids), chunk.snapshot, ids[0])
        chunk.cursor = ids[-1]
        return Stage.COUNT_ROWS
    pages = list(backlog.pages.walk(chunk.snapshot))
    all_ids = [*(id_ for _, page in pages for id_ in page.ids), *ids]
    for first, _ in pages:
        backlog.pages.delete(chunk.snapshot, first)
    if end.count == len(all_ids) and end.hash == snapshot_hash(all_ids):
        return Stage.APPLY_ROWS
    backlog.stagings.delete(end.source)
    chunk.outcome = "refused"
    return Stage.DISCARD_ROWS


def apply_rows(chunk: Chunk) -> Stage:
    """Apply the staged records as of the snapshot's request."""
    staged, requested = chunk.state.backlog.staged, _staging(chunk).requested
    for id_, row in chunk.spend(staged.walk(chunk.snapshot, after=chunk.cursor)):
        fact = decode_raw(row.fact)
        effect = staff.observed(chunk.state, fact, row.source, requested, chunk.now, snapshot=chunk.snapshot)
        chunk.accounts |= effect.accounts
        staged.delete(chunk.snapshot, id_)
        chunk.cursor = id_
    return Stage.APPLY_ROWS if chunk.has_more else Stage.WITHDRAW_ABSENT


def withdraw_absent(chunk: Chunk) -> Stage:
    """Withdraw the records of the source that the snapshot does not have."""
    staging = _staging(chunk)
    for id_, record in chunk.spend(chunk.state.records.walk(staging.source, after=chunk.cursor)):
        if record.snapshot != chunk.snapshot:
            effect = staff.withdrawn(chunk.state, record, chunk.fact, staging.requested, chunk.now)
            chunk.accounts |= effect.accounts
        chunk.cursor = id_
    if chunk.has_more:
        return Stage.WITHDRAW_ABSENT
    chunk.state.backlog.stagings.delete(staging.source)
    return Stage.EVALUATE


def discard_rows(chunk: Chunk) -> Stage:
    """Delete the staged records of a snapshot that is void."""
    staged = chunk.state.backlog.staged
    for id_, _ in chunk.spend(staged.walk(chunk.snapshot, after=chunk.cursor)):
        staged.delete(chunk.snapshot, id_)
        chunk.cursor = id_
    return Stage.DISCARD_ROWS if chunk.has_more else Stage.EVALUATE


def _staging(chunk: Chunk) -> SnapshotStaging:
    staging = chunk.state.backlog.stagings.get(snapshot_of(chunk.fact).source)
    assert staging is not None
    return staging
