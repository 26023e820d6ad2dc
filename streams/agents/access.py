"""The access agent: reads a tenant's facts in their order, and publishes findings, check results, and the ledger."""

from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Final, cast

import msgspec

from schemas.access import fact_records, facts
from schemas.access.facts import Fact
from schemas.canonical import digest
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.ids import derived
from schemas.message import Message, header
from schemas.versioned import Versioned
from streams.agents import decision_entries
from streams.agents.access_events import VERBS, OutputRecord, finding_records, ledger_record, request_record, state_record
from streams.core.access.processing import backlog
from streams.core.access.processing.process import CHUNK, ChunkResult
from streams.core.access.state.backlog_rows import next_pending_tenant
from streams.core.access.state.rows import AnyRow
from streams.core.access.state.table import AccessTable
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.timers import earliest_timer
from streams.core.access.state.values import LogPosition
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Table, Wake

ROWS: Final[Versioned[AnyRow]] = Versioned(cast("type[AnyRow]", AnyRow))


class ProcessingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one piece of pending work does, in rows read; an account evaluated counts as 32.

    Its budget is `budget`, and `per_record` more for each record of a batch or each queued fact (`queued_at_most` of them), so
    that pending work is finished faster than a log read from its start can add to it. A chunk is never divided: another one begins
    where more than half of one like the last is left, and may exceed the budget.
    """

    chunk: int = CHUNK
    budget: int = CHUNK
    per_record: int = 64
    queued_at_most: int = 2_000


class OutputWriter(msgspec.Struct, frozen=True):
    """Writes the records that follow from a fact."""

    avro: Avro
    product: str | None

    def write(self, result: ChunkResult, out: Outbox) -> None:
        """Send all records of one chunk's result, and note its findings for the metrics."""
        for event in result.findings:
            out.note(f"violation_{VERBS[event.finding.activity_id]}_{event.key.check}")
        for record in self._records(result):
            out.send(record.topic, record.key, record.value, record.headers(result.fact.id, result.now, result.position.trace))
        if not result.has_more:
            decision_entries.enter(out, result.fact, result.position, result.outcome)

    def _records(self, result: ChunkResult) -> list[OutputRecord]:
        records: list[OutputRecord] = []
        for event in result.findings:
            records += finding_records(self.avro, event, self.product)
        records += [state_record(self.avro, change) for change in result.states]
        records += [request_record(self.avro, each) for each in result.requests]
        return [*records, ledger_record(self.avro, result.entry)] if result.entry else records


def access(avro: Avro, *, limits: ProcessingLimits | None = None) -> Agent:
    """Return the agent."""
    limits, writer = limits or ProcessingLimits(), OutputWriter(avro, _product_version())
    return Agent(
        name="access",
        sources=(facts.TOPIC,),
        step=partial(_step, writer, limits),
        codec=ROWS,
        wake=partial(_wake, avro),
        resume=partial(_resume, writer, limits),
    )


@cache
def _product_version() -> str | None:
    try:
        return version("intercom-streams")
    except PackageNotFoundError:  # run from its sources: the OCSF record then names no version
        return None


def _step(writer: OutputWriter, limits: ProcessingLimits, batch: Batch, table: Table[AnyRow], out: Outbox) -> Cursor | None:
    """Process each fact, a few at a time in passes: read, process, write. One cursor stands for all pending work of all tenants."""
    was_idle = next_pending_tenant(table) is None
    budget = limits.budget + limits.per_record * len(batch.records)
    states: dict[str, TenantState] = {}
    for records in batch.chunks():
        read = [(fact_records.of_record(writer.avro, record), _position(batch, record)) for record in records]
        results: list[ChunkResult] = []
        for fact, position in read:
            state = states.get(fact.tenant)
            if state is None:
                state = states[fact.tenant] = TenantState(table, fact.tenant)
                decision_entries.begin(out, state, position)
            result = backlog.process(state, fact, position, budget=budget, chunk_size=limits.chunk)
            while result is not None:
                results.append(result)
                budget -= result.cost
                result = backlog.resume(state, limits.chunk) if result.has_more and _affords(budget, result) else None
        for each in results:
            writer.write(each, out)
    return b"" if was_idle and next_pending_tenant(table) is not None else None


def _resume(writer: OutputWriter, limits: ProcessingLimits, cursor: Cursor, table: Table[AnyRow], out: Outbox) -> Cursor | None:
    """Continue the pending work of the next tenant in round-robin order; the cursor names the tenant served last."""
    tenant = next_pending_tenant(table, cursor.decode())
    if tenant is None:
        return None
    state = TenantState(table, tenant)
    index = state.backlog.index
    budget = limits.budget + limits.per_record * min(limits.queued_at_most, index.queued if index else 0)
    result = backlog.resume(state, limits.chunk)
    while result is not None:
        writer.write(result, out)
        budget -= result.cost
        result = backlog.resume(state, limits.chunk) if _affords(budget, result) else None
    return tenant.encode() if next_pending_tenant(table) is not None else None


def _affords(budget: int, before: ChunkResult) -> bool:
    """Return whether the budget that is left is more than half of a chunk like the one before."""
    return budget > before.cost // 2


def _position(batch: Batch, record: Message) -> LogPosition:
    return LogPosition(
        batch.partition, record.offset, record.timestamp, digest(record.value or b""), header(record.headers, "traceparent")
    )


def _wake(avro: Avro, rows: AccessTable) -> Wake | None:
    """Ask for a tick when the earliest timer is due. Its id counts facts: one repeated for a slow broker clock is a new fact."""
    timer = earliest_timer(rows)
    if timer is None:
        return None
    due, tenant = timer
    tick = Fact(
        id=derived(tenant, "clock.ticked", due, TenantState(rows, tenant).log.entries),
        tenant=tenant,
        kind="clock.ticked",
        source="clock",
        basis="observed",
        time=due,
    )
    headers = fact_records.event_context(avro, tick, origin=Origin.DERIVED).headers()
    return Wake(at=due, topic=facts.TOPIC, key=tenant.encode(), value=fact_records.encode(avro, tick), headers=headers)
