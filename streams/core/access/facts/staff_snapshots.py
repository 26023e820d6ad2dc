"""Complete listings of a staff source: staged row by row, applied at once when they are whole, and then also saying who is missing.

A listing may hold any number of rows, so its end goes through stages: count the rows, apply them, withdraw what is absent, look.
"""

from typing import Final

from schemas.access.facts import Fact, Snapshot, encoded, listing_hash, restored
from streams.core.access.facts import staff as members
from streams.core.access.facts.teammates import Touched
from streams.core.access.processing.chunk import Turn
from streams.core.access.state.rows import Counted, Source, StagedRow, Staging
from streams.core.access.state.tenant import State

LASTS: Final = 60 * 60 * 1000  # ms of log time: a listing not complete by then is void


def started(state: State, fact: Fact, source: Source, now: int) -> Touched:
    """Begin a listing; one of the same source that was never ended is void."""
    said = _said(fact)
    before = state.pending.staging(said.source)
    if before is not None and before.id == said.id:
        return Touched("superseded")
    state.pending.put_staging(Staging(said.id, said.source, said.requested, now))
    return Touched("applied") if before is None else Touched("applied", then="drop", listing=before.id)


def row(state: State, fact: Fact, source: Source, now: int) -> Touched:
    """Stage a row."""
    said = _said(fact)
    staging = state.pending.staging(said.source)
    if staging is None or staging.id != said.id or fact.record is None or fact.record.source != said.source:
        return Touched("void")
    state.pending.put_staged(said.id, fact.id, StagedRow(encoded(fact), source))
    return Touched("staged")


def ended(state: State, fact: Fact, source: Source, now: int) -> Touched:
    """Apply a whole listing; one whose count or hash does not fit, or that took too long, is refused as a whole."""
    said = _said(fact)
    staging = state.pending.staging(said.source)
    if staging is None or staging.id != said.id:
        return Touched("void")
    if now - staging.begun > LASTS:
        state.pending.drop_staging(said.source)
        return Touched("refused", then="drop", listing=said.id)
    return Touched("applied", then="count", listing=said.id)


def count(turn: Turn) -> str:
    """Collect the ids of the rows, and see whether they are those that the listing's end says."""
    said, listing = _said(turn.fact), turn.listing
    ids = tuple(id_ for id_, _ in turn.take(turn.state.pending.staged(listing, turn.after)))
    if turn.full:
        turn.state.pending.put_counted(listing, Counted(ids))
        turn.after = ids[-1]
        return "count"
    whole = [*(id_ for page in turn.state.pending.counted(listing) for id_ in page.ids), *ids]
    turn.state.pending.drop_counted(listing)
    if said.count == len(whole) and said.hash == listing_hash(whole):
        return "rows"
    turn.state.pending.drop_staging(said.source)
    turn.outcome = "refused"
    return "drop"


def rows(turn: Turn) -> str:
    """Apply the rows as of the listing's request."""
    staging = turn.state.pending.staging(_said(turn.fact).source)
    assert staging is not None
    for id_, staged in turn.take(turn.state.pending.staged(turn.listing, turn.after)):
        told = members.observed(
            turn.state, restored(staged.fact), staged.source, staging.requested, turn.now, listing=turn.listing
        )
        turn.accounts |= told.accounts
        turn.state.pending.drop_staged(turn.listing, id_)
        turn.after = id_
    return "rows" if turn.full else "absent"


def absent(turn: Turn) -> str:
    """Withdraw the records of the source that the listing does not have."""
    staging = turn.state.pending.staging(_said(turn.fact).source)
    assert staging is not None
    for record in turn.take(turn.state.records(staging.source, turn.after)):
        if record.listed != turn.listing:
            turn.accounts |= members.withdrawn(turn.state, record, turn.fact, staging.requested, turn.now).accounts
        turn.after = record.id
    if turn.full:
        return "absent"
    turn.state.pending.drop_staging(staging.source)
    return "look"


def drop(turn: Turn) -> str:
    """Forget the rows of a listing that came to nothing."""
    for id_, _ in turn.take(turn.state.pending.staged(turn.listing, turn.after)):
        turn.state.pending.drop_staged(turn.listing, id_)
        turn.after = id_
    return "drop" if turn.full else "look"


def _said(fact: Fact) -> Snapshot:
    assert fact.snapshot is not None
    return fact.snapshot
