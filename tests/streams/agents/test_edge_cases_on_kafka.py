"""Edge cases about the order of arrival, through Kafka: each order is the log of a tenant of its own, and the answers are the same."""

import asyncio
from typing import Any

import msgspec
import pytest
from aiokafka.admin import NewTopic

from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from schemas.access import fact_records, facts
from schemas.access.facts import Fact
from schemas.message import header
from streams.agents.access import access
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.runner import running
from tests.patience import DEADLINE_S
from tests.support.company import AVRO, DAY, SECOND, T0, admin, staff, teammates_facts
from tests.support.counting_agent import producing, read_all

pytestmark = pytest.mark.asyncio

JO, NEW = "jo@acme.example", "jo.lind@acme.example"
QUICK = Limits(settle_seconds=0.1, session_timeout_ms=6_000, heartbeat_ms=500)
OUTPUTS = ("access.violations", "access.violations.json", "access.state", "access.ledger", "access.decisions")
NOW = T0 + 30 * DAY

CASES = {
    "1: left before added": [staff("77", JO, ends=T0 + DAY), admin("admin.added", "7", JO, at=T0 + 2 * DAY)],
    "2: added and removed": [admin("admin.added", "7", JO), admin("admin.removed", "7", at=T0 + DAY)],
    "3: removed in between": [
        admin("admin.added", "7", JO), admin("admin.removed", "7", at=T0 + DAY), admin("admin.added", "7", JO, at=T0 + 2 * DAY),
    ],
    "4: rehired": [
        admin("admin.added", "7", JO), staff("77", JO), staff("77", JO, at=T0 + DAY, ends=T0 + 2 * DAY), staff("77", JO, at=T0 + 3 * DAY),
    ],
    "5: renamed": [
        staff("77", JO), admin("admin.added", "7", JO), admin("admin.seen", "7", NEW, at=T0 + DAY), staff("77", NEW, at=T0 + DAY),
    ],
    "12: missing in a snapshot": [
        admin("admin.added", "7", JO), *teammates_facts(admin("admin.seen", "8", NEW), requested=T0 + DAY),
        admin("admin.seen", "7", JO, at=T0 + 2 * SECOND),
    ],
}  # fmt: skip


def logs() -> dict[str, list[Fact]]:
    """Return the facts of each tenant: of each case in order, and in the opposite order; parts of a snapshot keep theirs."""
    found = {}
    for name, case in CASES.items():
        number = name.partition(":")[0]
        parts = [fact for fact in case if fact.snapshot]
        others = [fact for fact in case if not fact.snapshot]
        found[f"forwards{number}"] = case
        found[f"backwards{number}"] = [*parts, *reversed(others)]
    return {
        tenant: [msgspec.structs.replace(fact, tenant=tenant) for fact in tenants_facts]
        for tenant, tenants_facts in found.items()
    }


@pytest.fixture
def settings(kafka: str, prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1)


async def written(settings: KafkaSettings, *every: Fact) -> None:
    async with producing(settings) as producer:
        for number, fact in enumerate(every):
            await producer.send(
                settings.topic(facts.TOPIC), key=fact.tenant.encode(), value=fact_records.encode(AVRO, fact), partition=0,
                timestamp_ms=NOW + number,
            )  # fmt: skip
        await producer.flush()


async def until_entered(settings: KafkaSettings, count: int) -> None:
    """Wait until the ledger has entries of so many facts that are no ticks."""
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while True:
        entries = [AVRO.decode(record.value)[1] for record in await read_all(settings, "access.ledger")]
        if sum(entry["kind"] != "clock.ticked" for entry in entries) >= count:
            return
        assert asyncio.get_running_loop().time() < deadline, "the facts were not processed in time"
        await asyncio.sleep(0.1)


async def answers(settings: KafkaSettings) -> dict[str, dict[tuple[str, str | None], tuple[Any, ...]]]:
    """Return the present answers by tenant; coverage and the system's checks are about the order in which snapshots came."""
    rows: dict[bytes, Any] = {}
    for record in await read_all(settings, "access.state"):
        rows[record.key] = None if record.value is None else AVRO.decode(record.value)[1]
    found: dict[str, dict[tuple[str, str | None], tuple[Any, ...]]] = {}
    for row in rows.values():
        if row is not None and row["check"] != "coverage" and not row["check"].startswith("S"):
            found.setdefault(row["tenant"], {})[row["check"], row["account"]] = (row["result"], row["reason"], row["since"])
    return found


async def ids(settings: KafkaSettings) -> dict[str, list[str | None]]:
    topics = ("access.violations", "access.violations.json")
    return {topic: [header(record.headers, "ce_id") for record in await read_all(settings, topic)] for topic in topics}


async def test_cases_1_2_3_4_5_and_12_end_alike_in_either_order_and_case_21_a_log_that_is_read_again_publishes_nothing_new(
    settings: KafkaSettings,
):
    names = {
        facts.TOPIC,
        "dead.letters",
        "access.read.requests",
        Naming(prefix=settings.topic_prefix).changelog("access"),
        *OUTPUTS,
    }
    async with admin_client(settings) as client:
        await client.create_topics([NewTopic(settings.topic(name), 1, settings.replication) for name in sorted(names)])
    every = [fact for log in logs().values() for fact in log]
    await written(settings, *every)
    async with running((access(AVRO),), kafka=settings, limits=QUICK):
        await until_entered(settings, len(every))
        first, published = await answers(settings), await ids(settings)
        for name in CASES:
            number = name.partition(":")[0]
            assert first[f"forwards{number}"] == first[f"backwards{number}"], name
        assert first["forwards1"]["C2", "7"] == ("FAIL", "employment_ended", T0 + 2 * DAY)
        assert ("C1", "7") not in first["forwards2"]
        assert first["forwards4"]["C2", "7"][0] == "PASS"
        assert first["forwards5"]["C1", "7"][0] == "PASS"
        assert ("C1", "7") not in first["forwards12"]
        await written(settings, *every)
        await until_entered(settings, 2 * len(every))
        assert await ids(settings) == published
        assert await answers(settings) == first
    assert all(len(set(of_topic)) == len(of_topic) for of_topic in published.values())
