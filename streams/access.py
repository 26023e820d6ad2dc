"""The access agent: reads a tenant's facts in their order, and says what follows: findings, present answers, and the ledger."""

from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Final, cast

from schemas import facts
from schemas.canonical import digest
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.facts import Fact
from schemas.ids import derived
from schemas.internal import Versioned
from schemas.message import Record, header
from schemas.violations import FINDING, LEDGER, STATE
from streams.access_records import Said, of_answer, of_entry, of_finding
from streams.core.decide import Outcome, Place, decide
from streams.core.rows import AnyRow
from streams.core.state import Rows, State, earliest_timer
from streams.engine.agent import Agent, Batch, Outbox, Table, Wake

ROWS: Final[Versioned[AnyRow]] = Versioned(cast("type[AnyRow]", AnyRow))
_SCHEMAS: Final = (FINDING, STATE, LEDGER)


def access(avro: Avro) -> Agent:
    """Return the agent."""
    return Agent(
        name="access",
        sources=(facts.TOPIC,),
        step=partial(_step, avro, _product_version()),
        codec=ROWS,
        wake=partial(_wake, avro),
    )


def _product_version() -> str | None:
    try:
        return version("intercom-streams")
    except PackageNotFoundError:  # run from its sources: the twin then names no version
        return None


def _step(avro: Avro, product: str | None, batch: Batch, table: Table[AnyRow], out: Outbox) -> None:
    for record in batch.records:
        fact = facts.decode(avro, record.value)
        outcome = decide(State(table, fact.tenant), fact, _place(batch, record))
        for said in _said(avro, product, outcome):
            out.send(said.topic, said.key, said.value, said.headers(fact.id, outcome.now, header(record.headers, "traceparent")))


def _place(batch: Batch, record: Record) -> Place:
    return Place(batch.partition, record.offset, record.timestamp, digest(record.value or b""))


def _said(avro: Avro, product: str | None, outcome: Outcome) -> list[Said]:
    found = [said for told in outcome.told for said in of_finding(avro, told, product)]
    found += [of_answer(avro, answered) for answered in outcome.answered]
    return [*found, of_entry(avro, outcome.entry)]


def _wake(avro: Avro, rows: Rows) -> Wake | None:
    """Wish for a tick when the earliest timer is due. Its id counts facts, so a tick repeated for a slow broker clock is another one."""
    timer = earliest_timer(rows)
    if timer is None:
        return None
    due, tenant = timer
    tick = Fact(
        id=derived(tenant, "clock.ticked", due, State(rows, tenant).log().entries),
        tenant=tenant,
        kind="clock.ticked",
        source="clock",
        basis="observed",
        time=due,
    )
    headers = facts.event(avro, tick, origin=Origin.DERIVED).headers()
    return Wake(at=due, topic=facts.TOPIC, key=tenant.encode(), value=facts.encode(avro, tick), headers=headers)
