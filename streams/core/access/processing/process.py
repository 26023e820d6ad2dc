"""One fact of a tenant's log and all that follows from it. Pure: the table, the fact and where it lies in, what is to be said out.

Time is the log's: before a fact is applied, every timer due by then fires as of its own instant. What follows is said in turns, and
where turns end depends on the log alone: whoever reads it again, in whatever portions, says the same.
"""

from typing import Final, NamedTuple

import msgspec

from schemas.access.facts import Fact, decode_plain
from schemas.access.findings import CheckState, LedgerEntry, LedgerOutput
from schemas.ids import derived
from streams.core.access.findings.ledger import CONTINUED, finding_output, ledger_entry, state_output
from streams.core.access.processing.chunk import Chunk
from streams.core.access.processing.evaluation import FindingEvent
from streams.core.access.processing.stages import END, STAGES
from streams.core.access.state.rows import LogPosition, PendingFact
from streams.core.access.state.tenant import State

CHUNK: Final = 500
"""Accounts looked at, or rows gone through, in a turn. Part of the rules: with another number large facts get other ledger entries."""


class StateChange(NamedTuple):
    """A key of `access.state` and its new row, None where the check no longer applies; `id` names this change.

    `sequence` is the number of the ledger's entry, so it grows with every change of a key.
    """

    key: str
    id: str
    sequence: int
    row: CheckState | None


class ChunkResult(NamedTuple):
    """What follows from a fact, by one turn. `cause` is the fact's id, `now` log time, `did` what was looked at or gone through.

    `entry` is None where the turn says nothing and is not the last; `rest` says that it is not.
    """

    findings: list[FindingEvent]
    states: list[StateChange]
    entry: LedgerEntry | None
    cause: str
    now: int
    trace: str | None
    cost: int
    has_more: bool


def process_fact(state: State, fact: Fact, place: LogPosition, size: int = CHUNK) -> ChunkResult:
    """Apply a checked fact, look again at what it touched, and enter it in the ledger; what is more than a turn is left as work."""
    log = state.log()
    state.put_log(msgspec.structs.replace(log, now=max(log.now, place.append_time)))
    return _run_stages(Chunk(state, fact, place, size), size)


def resume_fact(state: State, work: PendingFact, size: int = CHUNK) -> ChunkResult:
    """Take the next turn of a fact under way."""
    turn = Chunk(state, decode_plain(work.fact), work.place, size)
    turn.stage, turn.cursor, turn.outcome = work.stage, work.cursor, work.outcome
    turn.aliases, turn.snapshot, turn.has_pending_accounts = work.aliases, work.snapshot, work.has_pending_accounts
    outcome = _run_stages(turn, size)
    if not outcome.has_more:
        state.pending.put_work(None)
    return outcome


def _run_stages(turn: Chunk, size: int) -> ChunkResult:
    while turn.stage != END:
        stage = STAGES[turn.stage](turn)
        if stage == turn.stage:
            break
        turn.stage, turn.cursor = stage, ""
    rest = turn.stage != END
    if rest:
        turn.defer()
    answered = _state_changes(turn)
    outputs = [*map(finding_output, turn.evaluation.events), *(state_output(each.id, each.row) for each in answered)]
    entry = _entered(turn, outputs, rest=rest)
    return ChunkResult(
        turn.evaluation.events, answered, entry, turn.fact.id, turn.now, turn.position.trace, max(1, size - turn.budget), rest
    )


def _state_changes(turn: Chunk) -> list[StateChange]:
    tenant, sequence = turn.state.tenant, turn.state.log().entries + 1
    changed = sorted(turn.evaluation.states.items())
    return [StateChange(key, derived("state", tenant, key, sequence), sequence, row) for key, row in changed]


def _entered(turn: Chunk, outputs: list[LedgerOutput], *, rest: bool) -> LedgerEntry | None:
    if rest and not outputs:
        return None
    return ledger_entry(turn.state, turn.fact, turn.position, CONTINUED if rest else turn.outcome, outputs)
