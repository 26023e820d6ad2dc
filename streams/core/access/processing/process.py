"""Process one fact of a tenant's log. Pure: takes the tenant's rows, the fact and its log position; returns the records to publish.

Time is the log's: before a fact is applied, every timer due by then fires as of its own instant. A large fact is processed in chunks.
Where chunks end depends on the log alone, so reading it again, in batches of any size, gives the same records.
"""

from typing import Final, NamedTuple

import msgspec

from schemas.access.facts import Fact, decode_raw
from schemas.access.findings import CheckState, LedgerEntry, LedgerOutput
from schemas.access.read_requests import ReadRequest
from schemas.ids import derived
from streams.core.access.findings.build import FindingEvent
from streams.core.access.findings.ledger import CONTINUED, finding_output, ledger_entry, request_output, state_output
from streams.core.access.processing import coverage
from streams.core.access.processing.chunk import Chunk
from streams.core.access.processing.stages import STAGES
from streams.core.access.state.row_kinds.work_rows import PendingFact
from streams.core.access.state.stage import Stage
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import LogPosition

CHUNK: Final = 1_000
"""The budget of a chunk: so many rows, or 31 accounts. Part of the rules: with another large facts get other ledger entries."""


class StateChange(NamedTuple):
    """A key of `access.state` and its new row, None where the check no longer applies; `id` names this change.

    `sequence` is the number of the ledger's entry, so it grows with every change of a key.
    """

    key: str
    id: str
    sequence: int
    row: CheckState | None


class SentRequest(NamedTuple):
    """A request to read a workspace's teammates again; `sequence` is the number of the ledger's entry."""

    id: str
    sequence: int
    request: ReadRequest


class ChunkResult(NamedTuple):
    """What one chunk of a fact led to. `now` is log time (ms), `cost` what it took of its budget.

    `has_more` says that another chunk follows; `entry` is None where one follows and this one has no outputs. `outcome` is the fact's,
    final once no chunk follows.
    """

    findings: list[FindingEvent]
    states: list[StateChange]
    requests: list[SentRequest]
    entry: LedgerEntry | None
    fact: Fact
    position: LogPosition
    outcome: str
    now: int
    cost: int
    has_more: bool


def process_fact(state: TenantState, fact: Fact, position: LogPosition, chunk_size: int = CHUNK) -> ChunkResult:
    """Apply a checked fact, evaluate what it affected, and enter it in the ledger; more than one chunk becomes pending work."""
    if position.append_time > state.log.now:
        state.log = msgspec.structs.replace(state.log, now=position.append_time)
    return _run_stages(Chunk(state, fact, position, chunk_size), chunk_size)


def resume_fact(state: TenantState, pending: PendingFact, chunk_size: int = CHUNK) -> ChunkResult:
    """Process the next chunk of a fact under way."""
    chunk = Chunk(state, decode_raw(pending.fact), pending.position, chunk_size)
    chunk.stage, chunk.cursor, chunk.outcome = pending.stage, pending.cursor, pending.outcome
    chunk.has_pending_accounts, chunk.all_accounts = pending.has_pending_accounts, pending.all_accounts
    result = _run_stages(chunk, chunk_size)
    if not result.has_more:
        state.backlog.fact.delete()
    return result


def _run_stages(chunk: Chunk, chunk_size: int) -> ChunkResult:
    while chunk.stage is not Stage.END:
        following = STAGES[chunk.stage](chunk)
        if following is chunk.stage:
            break
        chunk.stage, chunk.cursor = following, ""
    has_more = chunk.stage is not Stage.END
    if has_more:
        chunk.defer()
    else:
        coverage.settle(chunk)
    states = _state_changes(chunk)
    requests = _requests(chunk)
    outputs: list[LedgerOutput] = []
    if chunk.evaluation.events or states or requests:  # few facts lead to any
        outputs += map(finding_output, chunk.evaluation.events)
        outputs += [state_output(change.id, change.row) for change in states]
        outputs += [request_output(each.id, each.request) for each in requests]
    return ChunkResult(
        findings=chunk.evaluation.events,
        states=states,
        requests=requests,
        entry=_ledger_entry(chunk, outputs, has_more=has_more),
        fact=chunk.fact,
        position=chunk.position,
        outcome=chunk.outcome,
        now=chunk.now,
        cost=max(1, chunk_size - chunk.budget),
        has_more=has_more,
    )


def _state_changes(chunk: Chunk) -> list[StateChange]:
    if not chunk.evaluation.states:
        return []
    tenant, sequence = chunk.state.tenant, chunk.state.log.entries + 1
    changed = sorted(chunk.evaluation.states.items())
    return [StateChange(key, derived("state", tenant, key, sequence), sequence, row) for key, row in changed]


def _requests(chunk: Chunk) -> list[SentRequest]:
    request = chunk.effect.request
    if request is None:
        return []
    sequence = chunk.state.log.entries + 1
    return [SentRequest(derived("read", chunk.state.tenant, sequence), sequence, request)]


def _ledger_entry(chunk: Chunk, outputs: list[LedgerOutput], *, has_more: bool) -> LedgerEntry | None:
    if has_more and not outputs:
        return None
    return ledger_entry(chunk.state, chunk.fact, chunk.position, CONTINUED if has_more else chunk.outcome, outputs)
