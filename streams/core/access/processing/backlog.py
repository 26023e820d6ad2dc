"""Work left over: a fact that is larger than a transaction is gone on with in turns, and the tenant's later facts wait for its end.

So every fact is applied to what all facts before it made true, whatever was read in between: the order of the log is the only one.
"""

from schemas.access.facts import Fact, encoded, restored
from streams.core.access.facts.apply import check
from streams.core.access.processing import process as decide
from streams.core.access.processing.process import TURN, Outcome
from streams.core.access.state.rows import Busy, Place, Queued
from streams.core.access.state.tenant import State


def take(state: State, fact: Fact, place: Place, *, room: int, size: int = TURN) -> Outcome | None:
    """Take the first turn of a fact; or let it wait, where work is left over or no room is left. Raises Unusable.

    A fact is checked before it waits: later there is no record to blame.
    """
    check(fact)
    busy = state.pending.busy()
    if busy is None and room > 0:
        outcome = decide.decide(state, fact, place, size)
        if outcome.rest:
            state.pending.put_busy(Busy())
        return outcome
    before = busy or Busy()
    state.pending.put_queued(Queued(encoded(fact), place))
    state.pending.put_busy(Busy(before.queued + 1, before.taken))
    return None


def go_on(state: State, size: int = TURN) -> Outcome | None:
    """Take the next turn of what is left over, or None where nothing is."""
    busy = state.pending.busy()
    if busy is None:
        return None
    work = state.pending.work()
    outcome = decide.go_on(state, work, size) if work else None
    if outcome is None:
        item, queued = next(state.pending.queued(busy.taken))
        state.pending.drop_queued(item)
        busy = Busy(busy.queued - 1, item)
        outcome = decide.decide(state, restored(queued.fact), queued.place, size)
    state.pending.put_busy(busy if busy.queued or outcome.rest else None)
    return outcome
