"""Pending work: a fact larger than a transaction is processed in chunks, and the tenant's later facts wait until it is done.

So every fact applies to the result of all facts before it, whatever else was read in between: the order of the log is the only one.
"""

from schemas.access.facts import Fact, decode_raw, encode_raw
from streams.core.access.facts.apply import check
from streams.core.access.processing.process import CHUNK, ChunkResult, process_fact, resume_fact
from streams.core.access.state.row_kinds.work_rows import BacklogIndex, QueuedFact
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import LogPosition


def process(state: TenantState, fact: Fact, position: LogPosition, *, budget: int, chunk_size: int = CHUNK) -> ChunkResult | None:
    """Process a fact's first chunk, or queue the fact (None) where work is pending or no budget is left.

    A fact is checked before it is queued, while there is still a record to reject: raises InvalidRecord.
    """
    check(fact)
    index = state.backlog.index
    if index is None and budget > 0:
        result = process_fact(state, fact, position, chunk_size)
        if result.has_more:
            state.backlog.index = BacklogIndex()
        return result
    before = index or BacklogIndex()
    state.backlog.enqueue(QueuedFact(encode_raw(fact), position))
    state.backlog.index = BacklogIndex(before.queued + 1, before.processing)
    return None


def resume(state: TenantState, chunk_size: int = CHUNK) -> ChunkResult | None:
    """Process the next chunk of the pending work, or return None without pending work."""
    index = state.backlog.index
    if index is None:
        return None
    pending = state.backlog.fact.get()
    if pending is not None:
        result = resume_fact(state, pending, chunk_size)
    else:
        item, queued = next(state.backlog.queue.walk(after=index.processing))
        state.backlog.queue.delete(item)
        index = BacklogIndex(index.queued - 1, item)
        result = process_fact(state, decode_raw(queued.fact), queued.position, chunk_size)
    state.backlog.index = index if index.queued or result.has_more else None
    return result
