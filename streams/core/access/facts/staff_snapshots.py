"""Complete listings of a staff source: staged row by row, applied at once when they are whole, and then also saying who is missing.

A listing may hold any number of rows, so its end goes through stages: count the rows, apply them, withdraw what is absent, look.
"""

from typing import Final

from schemas.access.facts import Fact, Snapshot, decode_plain, encode_plain, listing_hash
from streams.core.access.facts import staff as members
from streams.core.access.facts.teammates import Effect
from streams.core.access.processing.chunk import Chunk
from streams.core.access.state.rows import FactReference, SnapshotPage, SnapshotStaging, StagedRecord
from streams.core.access.state.tenant import State

LASTS: Final = 60 * 60 * 1000  # ms of log time: a listing not complete by then is void


def started(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    """Begin a listing; one of the same source that was never ended is void."""
    said = _snapshot(fact)
    before = state.pending.staging(said.source)
    if before is not None and before.id == said.id:
        return Effect("superseded")
    state.pending.put_staging(SnapshotStaging(said.id, said.source, said.requested, now))
    return Effect("applied") if before is None else Effect("applied", follow_up="drop", snapshot=before.id)


def row(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    """Stage a row."""
    said = _snapshot(fact)
    staging = state.pending.staging(said.source)
    if staging is None or staging.id != said.id or fact.record is None or fact.record.source != said.source:
        return Effect("void")
    state.pending.put_staged(said.id, fact.id, StagedRecord(encode_plain(fact), source))
    return Effect("staged")


def ended(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply a whole listing; one whose count or hash does not fit, or that took too long, is refused as a whole."""
    said = _snapshot(fact)
    staging = state.pending.staging(said.source)
    if staging is None or staging.id != said.id:
        return Effect("void")
    if now - staging.started > LASTS:
        state.pending.drop_staging(said.source)
        return Effect("refused", follow_up="drop", snapshot=said.id)
    return Effect("applied", follow_up="count", snapshot=said.id)


def count(turn: Chunk) -> str:
    """Collect the ids of the rows, and see whether they are those that the listing's end says."""
    said, listing = _snapshot(turn.fact), turn.snapshot
    ids = tuple(id_ for id_, _ in turn.spend(turn.state.pending.staged(listing, turn.cursor)))
    if turn.exhausted:
        turn.state.pending.put_counted(listing, SnapshotPage(ids))
        turn.cursor = ids[-1]
        return "count"
    whole = [*(id_ for page in turn.state.pending.counted(listing) for id_ in page.ids), *ids]
    turn.state.pending.drop_counted(listing)
    if said.count == len(whole) and said.hash == listing_hash(whole):
        return "rows"
    turn.state.pending.drop_staging(said.source)
    turn.outcome = "refused"
    return "drop"


def apply_rows(turn: Chunk) -> str:
    """Apply the rows as of the listing's request."""
    staging = turn.state.pending.staging(_snapshot(turn.fact).source)
    assert staging is not None
    for id_, staged in turn.spend(turn.state.pending.staged(turn.snapshot, turn.cursor)):
        told = members.observed(
            turn.state, decode_plain(staged.fact), staged.source, staging.requested, turn.now, listing=turn.snapshot
        )
        turn.accounts |= told.accounts
        turn.state.pending.drop_staged(turn.snapshot, id_)
        turn.cursor = id_
    return "rows" if turn.exhausted else "absent"


def withdraw_absent(turn: Chunk) -> str:
    """Withdraw the records of the source that the listing does not have."""
    staging = turn.state.pending.staging(_snapshot(turn.fact).source)
    assert staging is not None
    for record in turn.spend(turn.state.records(staging.source, turn.cursor)):
        if record.snapshot != turn.snapshot:
            turn.accounts |= members.withdrawn(turn.state, record, turn.fact, staging.requested, turn.now).accounts
        turn.cursor = record.id
    if turn.exhausted:
        return "absent"
    turn.state.pending.drop_staging(staging.source)
    return "look"


def discard(turn: Chunk) -> str:
    """Forget the rows of a listing that came to nothing."""
    for id_, _ in turn.spend(turn.state.pending.staged(turn.snapshot, turn.cursor)):
        turn.state.pending.drop_staged(turn.snapshot, id_)
        turn.cursor = id_
    return "drop" if turn.exhausted else "look"


def _snapshot(fact: Fact) -> Snapshot:
    assert fact.snapshot is not None
    return fact.snapshot
