"""Complete listings of a staff source: staged row by row, applied at once when they are whole, and then also saying who is missing."""

from typing import Final

import msgspec

from schemas.facts import Fact, Snapshot, listing_hash, plain
from streams.core import members
from streams.core.rows import Source, StagedRow, Staging
from streams.core.sightings import Touched
from streams.core.state import State

LASTS: Final = 60 * 60 * 1000  # ms of log time: a listing not complete by then is void


def started(state: State, fact: Fact, source: Source, now: int) -> Touched:
    """Begin a listing; one of the same source that was never ended is void."""
    said = _said(fact)
    before = state.staging(said.source)
    if before is not None:
        if before.id == said.id:
            return Touched("superseded")
        state.drop_staging(before)
    state.put_staging(Staging(said.id, said.source, said.requested, now))
    return Touched("applied")


def row(state: State, fact: Fact, source: Source, now: int) -> Touched:
    """Stage a row."""
    said = _said(fact)
    staging = state.staging(said.source)
    if staging is None or staging.id != said.id or fact.record is None or fact.record.source != said.source:
        return Touched("void")
    state.put_staged(said.id, fact.id, StagedRow(plain(fact), source))
    return Touched("staged")


def ended(state: State, fact: Fact, source: Source, now: int) -> Touched:
    """Apply a whole listing; one whose count or hash does not fit, or that took too long, is refused as a whole."""
    said = _said(fact)
    staging = state.staging(said.source)
    if staging is None or staging.id != said.id:
        return Touched("void")
    rows = [(msgspec.convert(staged.fact, Fact), staged.source) for staged in state.staged(said.id)]
    state.drop_staging(staging)
    if now - staging.begun > LASTS or not _fits(said, [each.id for each, _ in rows]):
        return Touched("refused")
    accounts: set[tuple[str, str]] = set()
    for each, origin in rows:
        accounts |= members.observed(state, each, origin, staging.requested, now).accounts
    listed = {each.record.record for each, _ in rows if each.record}
    for record in state.records(said.source):
        if record.id not in listed:
            accounts |= members.withdrawn(state, record, fact, staging.requested, now).accounts
    return Touched("applied", accounts=accounts)


def _fits(said: Snapshot, ids: list[str]) -> bool:
    return said.count == len(ids) and said.hash == listing_hash(ids)


def _said(fact: Fact) -> Snapshot:
    assert fact.snapshot is not None
    return fact.snapshot
