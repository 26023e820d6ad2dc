"""The access agent on a real broker: a fact larger than a transaction, interrupted and resumed; and a deadline that its own tick meets."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.admin import NewTopic

from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from schemas.access import fact_records, facts
from schemas.access.facts import Fact
from schemas.message import RecordValue
from streams.agents.access import ProcessingLimits, access
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.runner import Running, running
from tests.patience import DEADLINE_S
from tests.streams.core.access.test_choices import chosen
from tests.support.company import AVRO, DAY, SECOND, T0, Company, admin, everyone, policy, roles, staff, teammates_facts
from tests.support.company import settings as company_settings
from tests.support.counting_agent import producing, read_all

pytestmark = pytest.mark.asyncio

PEOPLE = 40
JO = "jo@acme.example"
SMALL = ProcessingLimits(chunk=4, budget=1, per_record=0)
QUICK = Limits(settle_seconds=0.1, session_timeout_ms=6_000, heartbeat_ms=500)
OUTPUTS = ("access.violations", "access.violations.json", "access.state", "access.ledger", "access.decisions")


@pytest.fixture
def settings(kafka: str, prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1)


def policies_and_a_snapshot() -> list[Fact]:
    """A company, a policy and another one, a fact about the person whom the policies reach last, and a snapshot that lacks a teammate."""
    people = [
        fact
        for number in range(PEOPLE)
        for address in [f"p{number}@acme.example"]
        for fact in (staff(f"{number:02}", address, roles=("Support",)), admin("admin.added", f"{number:02}", address))
    ]
    first = policy(roles("Sales"))
    listed = [admin("admin.seen", f"{number:02}", f"p{number}@acme.example") for number in range(PEOPLE - 1)]
    return [
        *people, first, staff("39", "p39@acme.example", at=T0 + DAY, roles=("Sales",)), policy(everyone(), replaces=first.id),
        *teammates_facts(*listed, requested=T0 + 9 * DAY),
    ]  # fmt: skip


def large_decision() -> list[Fact]:
    """One person with many accounts, and the decision that the source is right which does not say that they left."""
    people = [staff("77", JO, ends=T0 + DAY), staff("j", JO, source="idp"), policy(everyone())]
    return [*people, *(admin("admin.added", f"{number:02}", JO) for number in range(PEOPLE)), chosen("77", "idp")]


async def create_topics(kafka: KafkaSettings) -> None:
    names = {facts.TOPIC, "dead.letters", Naming(prefix=kafka.topic_prefix).changelog("access"), *OUTPUTS}
    options = {"min.insync.replicas": str(kafka.min_insync)}
    async with admin_client(kafka) as client:
        await client.create_topics(
            [NewTopic(kafka.topic(name), 1, kafka.replication, topic_configs=options) for name in sorted(names)]
        )


async def until(work: Running, *, pending: bool) -> None:
    """Wait until work is pending, or until none is and every fact was read."""
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while True:
        processors = work.engine.all_processors()
        if pending and any(processor.commit_state.pending_work for processor in processors):
            return
        if (
            not pending
            and processors
            and all(processor.caught_up and processor.lag == 0 and processor.positions for processor in processors)
        ):
            return
        assert asyncio.get_running_loop().time() < deadline, "the access agent did not reach this state in time"
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("history", [policies_and_a_snapshot, large_decision])
async def test_work_left_over_by_one_worker_is_finished_by_the_next_to_the_same_bytes(
    settings: KafkaSettings, history: Callable[[], list[Fact]]
):
    agent = access(AVRO, limits=SMALL)
    await create_topics(settings)
    async with producing(settings) as producer:
        for index, fact in enumerate(history()):
            await producer.send(
                settings.topic(facts.TOPIC), key=b"acme", value=fact_records.encode(AVRO, fact), partition=0,
                timestamp_ms=T0 + 10 * DAY + index * SECOND,
            )  # fmt: skip
        await producer.flush()
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(work, pending=True)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(work, pending=False)
        (processor,) = work.engine.all_processors()
        assert processor.view().get("@busy", "acme") is None
    expected = Company(ProcessingLimits(chunk=SMALL.chunk, budget=1 << 30))
    for record in await read_all(settings, facts.TOPIC):
        expected.step([RecordValue(record.key, record.value, record.headers, record.offset, record.timestamp)])
    for topic in OUTPUTS:
        written = [(record.key, record.value) for record in await read_all(settings, topic)]
        assert written == [(sent.key, sent.value) for sent in expected.sent if sent.topic == topic]
    assert len(expected.ledger()) > len(history())


async def test_a_source_that_fell_silent_while_no_worker_ran_is_stale_since_its_deadline_by_the_agents_own_tick(
    settings: KafkaSettings,
):
    interval = 60 * SECOND
    expecting = company_settings(further={"freshness": json.dumps({"hr": {"kind": "interval", "interval": interval}})})
    await create_topics(settings)
    async with producing(settings) as producer:
        for fact in (expecting, staff("7", "p7@acme.example"), admin("admin.added", "7", "p7@acme.example")):
            await producer.send(
                settings.topic(facts.TOPIC), key=b"acme", value=fact_records.encode(AVRO, fact), partition=0, timestamp_ms=T0
            )
        await producer.flush()
    async with running((access(AVRO),), kafka=settings, limits=QUICK):
        rows = await until_stale(settings)
    assert {row["check"]: (row["result"], row["reason"], row["since"]) for row in rows if row["check"] != "coverage"} == {
        "C1": ("PASS", "identified", T0),
        "C2": ("UNKNOWN", "staff_stale", T0 + 3 * interval),
        "C3": ("FAIL", "no_policy", T0),
        "C4": ("UNKNOWN", "no_policy", T0),
        "S4": ("FAIL", "source_stale", T0 + 3 * interval),
    }
    kinds = [fact_records.decode(AVRO, record.value).kind for record in await read_all(settings, facts.TOPIC)]
    assert kinds[:4] == ["settings.applied", "staff.record", "admin.added", "clock.ticked"]
    assert set(kinds[4:]) <= {"clock.ticked"}  # at a full quarter of an hour the rows about coverage are renewed


async def until_stale(settings: KafkaSettings) -> list[dict[str, Any]]:
    """Wait until a row of `access.state` is about a stale source; return the latest row of each key."""
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while True:
        records = await read_all(settings, "access.state")
        latest = {record.key: AVRO.decode(record.value)[1] for record in records if record.value is not None}
        if any(row["reason"] == "staff_stale" for row in latest.values()):
            return list(latest.values())
        assert asyncio.get_running_loop().time() < deadline, "no source was found stale in time"
        await asyncio.sleep(0.1)
