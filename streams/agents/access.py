"""The access agent: reads a tenant's facts in their order, and says what follows: findings, present answers, and the ledger."""

from functools import partial
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
from streams.agents.access_events import OutputRecord, finding_records, ledger_record, state_record
from streams.core.access.processing import backlog
from streams.core.access.processing.process import CHUNK, ChunkResult
from streams.core.access.state.backlog_rows import next_pending_tenant
from streams.core.access.state.rows import AnyRow, LogPosition
from streams.core.access.state.table import AccessTable
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.timers import earliest_timer
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Table, Wake

ROWS: Final[Versioned[AnyRow]] = Versioned(cast("type[AnyRow]", AnyRow))


class ProcessingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done at once, counted in accounts looked at and rows gone through.

    A transaction does `part`, and `per_record` more for each record of its batch or fact that waits (up to `waiting`): so work left over
    is finished faster than a log that is read from its start can pile more behind it. A turn is never divided, so it is its overrun.
    """

    chunk: int = CHUNK
    snapshot_page: int = 1_000
    per_record: int = 2
    waiting: int = 2_000


class OutputWriter(msgspec.Struct, frozen=True):
    """What turns outcomes into records."""

    avro: Avro
    product: str | None

    def write(self, outcome: ChunkResult, out: Outbox) -> None:
        """Send all that follows from a fact, by one turn."""
        for said in self._said(outcome):
            out.send(said.topic, said.key, said.value, said.headers(outcome.cause, outcome.now, outcome.trace))

    def _said(self, outcome: ChunkResult) -> list[OutputRecord]:
        found = [said for told in outcome.findings for said in finding_records(self.avro, told, self.product)]
        found += [state_record(self.avro, answered) for answered in outcome.states]
        return [*found, ledger_record(self.avro, outcome.entry)] if outcome.entry else found


def access(avro: Avro, *, sizes: ProcessingLimits | None = None) -> Agent:
    """Return the agent."""
    sizes, writer = sizes or ProcessingLimits(), OutputWriter(avro, _product_version())
    return Agent(
        name="access",
        sources=(facts.TOPIC,),
        step=partial(_step, writer, sizes),
        codec=ROWS,
        wake=partial(_wake, avro),
        resume=partial(_resume, writer, sizes),
    )


def _product_version() -> str | None:
    try:
        return version("intercom-streams")
    except PackageNotFoundError:  # run from its sources: the twin then names no version
        return None


def _step(writer: OutputWriter, sizes: ProcessingLimits, batch: Batch, table: Table[AnyRow], out: Outbox) -> Cursor | None:
    """Decide what each fact leads to. There is one cursor while any work is left over, whichever tenants' it is."""
    idle = next_pending_tenant(table) is None
    room = sizes.snapshot_page + sizes.per_record * len(batch.records)
    for record in batch.records:
        fact = fact_records.decode(writer.avro, record.value)
        state = TenantState(table, fact.tenant)
        outcome = backlog.process(state, fact, _position(batch, record), budget=room, chunk_size=sizes.chunk)
        while outcome is not None:
            writer.write(outcome, out)
            room -= outcome.cost
            outcome = backlog.resume(state, sizes.chunk) if outcome.has_more and room > 0 else None
    return b"" if idle and next_pending_tenant(table) is not None else None


def _resume(writer: OutputWriter, sizes: ProcessingLimits, cursor: Cursor, table: Table[AnyRow], out: Outbox) -> Cursor | None:
    """Go on with the work of the next tenant in turn; the cursor names who had the last."""
    tenant = next_pending_tenant(table, cursor.decode())
    if tenant is None:
        return None
    state = TenantState(table, tenant)
    busy = state.backlog.index
    room = sizes.snapshot_page + sizes.per_record * min(sizes.waiting, busy.queued if busy else 0)
    while room > 0 and (outcome := backlog.resume(state, sizes.chunk)) is not None:
        writer.write(outcome, out)
        room -= outcome.cost
    return tenant.encode() if next_pending_tenant(table) is not None else None


def _position(batch: Batch, record: Message) -> LogPosition:
    return LogPosition(
        batch.partition, record.offset, record.timestamp, digest(record.value or b""), header(record.headers, "traceparent")
    )


def _wake(avro: Avro, rows: AccessTable) -> Wake | None:
    """Wish for a tick when the earliest timer is due. Its id counts facts, so a tick repeated for a slow broker clock is another one."""
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
