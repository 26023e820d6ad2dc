"""Complete snapshots of a staff source: staged under their ids, and applied as a whole once they are complete.

So snapshots may interleave, and a repeated fact of one changes nothing. A snapshot may have any number of records, so its end is
processed in stages (`streams.core.access.processing.snapshot_stages`).
"""

from typing import Final

from schemas.access.facts import Fact, Snapshot, encode_raw
from streams.core.access.facts.effect import Effect
from streams.core.access.state.rows import SnapshotStaging, StagedRecord
from streams.core.access.state.stage import Stage
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference

TIMEOUT: Final = 60 * 60 * 1000  # ms of log time: a snapshot not complete by then is void


def started(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Begin a snapshot."""
    snapshot = snapshot_of(fact)
    if is_applied(state, snapshot) or not _begin(state, snapshot, now):
        return Effect("superseded")
    return Effect("applied")


def row(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Stage a record."""
    snapshot = snapshot_of(fact)
    if is_applied(state, snapshot) or fact.record is None or fact.record.source != snapshot.source:
        return Effect("void")
    _begin(state, snapshot, now)
    state.backlog.staged.put(StagedRecord(encode_raw(fact), source), snapshot.source, snapshot.id, fact.id)
    return Effect("staged")


def ended(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply a complete snapshot; one whose count or hash does not fit is refused, and may be completed within its time."""
    snapshot = snapshot_of(fact)
    if is_applied(state, snapshot):
        return Effect("superseded")
    _begin(state, snapshot, now)
    return Effect("applied", follow_up=Stage.COUNT_ROWS)


def is_stale(staging: SnapshotStaging, now: int) -> bool:
    """Say whether a snapshot took too long at log time `now` (ms): what was staged of it is void."""
    return now - staging.started >= TIMEOUT


def is_applied(state: TenantState, snapshot: Snapshot) -> bool:
    """Say whether a snapshot of this id was applied already."""
    row = state.sources.get(snapshot.source)
    return row is not None and any(each.id == snapshot.id for each in row.snapshots)


def snapshot_of(fact: Fact) -> Snapshot:
    """Return the snapshot that a checked fact of a `staff.snapshot.*` kind is about."""
    assert fact.snapshot is not None
    return fact.snapshot


def _begin(state: TenantState, snapshot: Snapshot, now: int) -> bool:
    """Stage a snapshot from its first fact on; return whether this is it. Its time is counted from there."""
    if state.backlog.stagings.get(snapshot.source, snapshot.id) is not None:
        return False
    state.backlog.stagings.put(SnapshotStaging(snapshot.requested, now), snapshot.source, snapshot.id)
    return True
