"""Work left over: a fact that is larger than a transaction is gone on with in turns, and the tenant's later facts wait for its end.

So every fact is applied to what all facts before it made true, whatever was read in between: the order of the log is the only one.
"""

from schemas.access.facts import Fact, decode_plain, encode_plain
from streams.core.access.facts.apply import check
from streams.core.access.processing import process as decide
from streams.core.access.processing.process import CHUNK, ChunkResult
from streams.core.access.state.rows import BacklogIndex, LogPosition, QueuedFact
from streams.core.access.state.tenant import State


def process(state: State, fact: Fact, place: LogPosition, *, room: int, size: int = CHUNK) -> ChunkResult | None:
    """Take the first turn of a fact; or let it wait, where work is left over or no room is left. Raises InvalidRecord.

    A fact is checked before it waits: later there is no record to blame.
    """
    check(fact)
    busy = state.pending.busy()
    if busy is None and room > 0:
        outcome = decide.process_fact(state, fact, place, size)
        if outcome.has_more:
            state.pending.put_busy(BacklogIndex())
        return outcome
    before = busy or BacklogIndex()
    state.pending.put_queued(QueuedFact(encode_plain(fact), place))
    state.pending.put_busy(BacklogIndex(before.queued + 1, before.processing))
    return None


def resume(state: State, size: int = CHUNK) -> ChunkResult | None:
    """Take the next turn of what is left over, or None where nothing is."""
    busy = state.pending.busy()
    if busy is None:
        return None
    work = state.pending.work()
    outcome = decide.resume_fact(state, work, size) if work else None
    if outcome is None:
        item, queued = next(state.pending.queued(busy.processing))
        state.pending.drop_queued(item)
        busy = BacklogIndex(busy.queued - 1, item)
        outcome = decide.process_fact(state, decode_plain(queued.fact), queued.place, size)
    state.pending.put_busy(busy if busy.queued or outcome.has_more else None)
    return outcome
