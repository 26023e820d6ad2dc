"""Complete snapshots of a staff source: staged record by record, and applied as a whole once they are complete.

A snapshot may have any number of records, so its end is processed in stages (`streams.core.access.processing.snapshot_stages`).
"""

from typing import Final

from schemas.access.facts import Fact, Snapshot, encode_raw
from streams.core.access.facts.effect import Effect
from streams.core.access.state.rows import FactReference, SnapshotStaging, StagedRecord
from streams.core.access.state.stage import Stage
from streams.core.access.state.tenant import TenantState

TIMEOUT: Final = 60 * 60 * 1000  # ms of log time: a snapshot not complete by then is void


def started(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Begin a snapshot; one of the same source that was never ended is void."""
    snapshot = snapshot_of(fact)
    before = state.backlog.stagings.get(snapshot.source)
    if before is not None and before.id == snapshot.id:
        return Effect("superseded")
    state.backlog.stagings.put(SnapshotStaging(snapshot.id, snapshot.source, snapshot.requested, now), snapshot.source)
    return Effect("applied") if before is None else Effect("applied", follow_up=Stage.DISCARD_ROWS, snapshot=before.id)


def row(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Stage a record."""
    snapshot = snapshot_of(fact)
    staging = state.backlog.stagings.get(snapshot.source)
    if staging is None or staging.id != snapshot.id or fact.record is None or fact.record.source != snapshot.source:
        return Effect("void")
    state.backlog.staged.put(StagedRecord(encode_raw(fact), source), snapshot.id, fact.id)
    return Effect("staged")


def ended(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply a complete snapshot; one whose count or hash does not fit, or that took too long, is refused as a whole."""
    snapshot = snapshot_of(fact)
    staging = state.backlog.stagings.get(snapshot.source)
    if staging is None or staging.id != snapshot.id:
        return Effect("void")
    if now - staging.started > TIMEOUT:
        state.backlog.stagings.delete(snapshot.source)
        return Effect("refused", follow_up=Stage.DISCARD_ROWS, snapshot=snapshot.id)
    return Effect("applied", follow_up=Stage.COUNT_ROWS, snapshot=snapshot.id)


def snapshot_of(fact: Fact) -> Snapshot:
    """Return the snapshot that a checked fact of a `staff.snapshot.*` kind is about."""
    assert fact.snapshot is not None
    return fact.snapshot
