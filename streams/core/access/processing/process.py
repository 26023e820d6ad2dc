"""One fact of a tenant's log and all that follows from it. Pure: the table, the fact and where it lies in, what is to be said out.

Time is the log's: before a fact is applied, every timer due by then fires as of its own instant. What follows is said in turns, and
where turns end depends on the log alone: whoever reads it again, in whatever portions, says the same.
"""

from typing import Final, NamedTuple

import msgspec

from schemas.access.facts import Fact, restored
from schemas.access.findings import CheckState, LedgerEntry, Output
from schemas.ids import derived
from streams.core.access.findings.ledger import CONTINUED, enter, of_answer, of_finding
from streams.core.access.processing.chunk import Turn
from streams.core.access.processing.evaluation import Told
from streams.core.access.processing.stages import END, STAGES
from streams.core.access.state.rows import Place, Work
from streams.core.access.state.tenant import State

TURN: Final = 500
"""Accounts looked at, or rows gone through, in a turn. Part of the rules: with another number large facts get other ledger entries."""


class Answered(NamedTuple):
    """A key of `access.state` and its new row, None where the check no longer applies; `id` names this change.

    `sequence` is the number of the ledger's entry, so it grows with every change of a key.
    """

    key: str
    id: str
    sequence: int
    row: CheckState | None


class Outcome(NamedTuple):
    """What follows from a fact, by one turn. `cause` is the fact's id, `now` log time, `did` what was looked at or gone through.

    `entry` is None where the turn says nothing and is not the last; `rest` says that it is not.
    """

    told: list[Told]
    answered: list[Answered]
    entry: LedgerEntry | None
    cause: str
    now: int
    trace: str | None
    did: int
    rest: bool


def decide(state: State, fact: Fact, place: Place, size: int = TURN) -> Outcome:
    """Apply a checked fact, look again at what it touched, and enter it in the ledger; what is more than a turn is left as work."""
    log = state.log()
    state.put_log(msgspec.structs.replace(log, now=max(log.now, place.append_time)))
    return _taken(Turn(state, fact, place, size), size)


def go_on(state: State, work: Work, size: int = TURN) -> Outcome:
    """Take the next turn of a fact under way."""
    turn = Turn(state, restored(work.fact), work.place, size)
    turn.stage, turn.after, turn.outcome = work.stage, work.after, work.outcome
    turn.aliases, turn.listing, turn.unseen = work.aliases, work.listing, work.unseen
    outcome = _taken(turn, size)
    if not outcome.rest:
        state.pending.put_work(None)
    return outcome


def _taken(turn: Turn, size: int) -> Outcome:
    while turn.stage != END:
        stage = STAGES[turn.stage](turn)
        if stage == turn.stage:
            break
        turn.stage, turn.after = stage, ""
    rest = turn.stage != END
    if rest:
        turn.put_off()
    answered = _answered(turn)
    outputs = [*map(of_finding, turn.evaluation.told), *(of_answer(each.id, each.row) for each in answered)]
    entry = _entered(turn, outputs, rest=rest)
    return Outcome(
        turn.evaluation.told, answered, entry, turn.fact.id, turn.now, turn.place.trace, max(1, size - turn.room), rest
    )


def _answered(turn: Turn) -> list[Answered]:
    tenant, sequence = turn.state.tenant, turn.state.log().entries + 1
    changed = sorted(turn.evaluation.states.items())
    return [Answered(key, derived("state", tenant, key, sequence), sequence, row) for key, row in changed]


def _entered(turn: Turn, outputs: list[Output], *, rest: bool) -> LedgerEntry | None:
    if rest and not outputs:
        return None
    return enter(turn.state, turn.fact, turn.place, CONTINUED if rest else turn.outcome, outputs)
