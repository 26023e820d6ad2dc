"""A deadline that passes while no worker runs, on a real broker: it is met after the start, to the instant and once."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.access import fact_records, facts
from schemas.message import header
from streams.agents.access import access
from streams.engine.runner import running
from tests.patience import DEADLINE_S
from tests.streams.agents.test_access_on_kafka import QUICK, create_topics
from tests.streams.core.access.deadlines import grace
from tests.streams.core.access.exempting import Exempting
from tests.support.company import AVRO, DAY, SECOND, admin, everyone, policy, staff
from tests.support.counting_agent import producing, read_all

pytestmark = pytest.mark.asyncio

JO = "jo@acme.example"
HOUR = 3600 * SECOND


@pytest.fixture
def settings(kafka: str, prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1)


async def published(settings: KafkaSettings, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Return the events of C2 with the ids of their records, once there are enough."""
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while True:
        records = await read_all(settings, "access.violations.json")
        found = [json.loads(record.value or b"") | {"ce_id": header(record.headers, "ce_id")} for record in records]
        events = [each for each in found if each["unmapped"]["check"] == "C2"]
        if enough(events):
            return events
        assert asyncio.get_running_loop().time() < deadline, "the event was not published in time"
        await asyncio.sleep(0.1)


async def test_case_9_a_deadline_that_passed_while_no_worker_ran_is_met_once_with_the_due_instant_as_its_time(
    settings: KafkaSettings,
):
    due = (time.time_ns() // 1_000_000_000 + 12) * SECOND  # by then the first worker has stopped, on all but the slowest machines
    ended = due - HOUR
    history = (policy(everyone(grace=grace(C2="1 hours"))), staff("77", JO, at=ended - DAY, ends=ended),
               admin("admin.added", "7", JO, at=ended - DAY))  # fmt: skip
    await create_topics(settings)
    async with producing(settings) as producer:
        for fact in history:
            value = fact_records.encode(AVRO, fact)
            await producer.send(
                settings.topic(facts.TOPIC), key=b"acme", value=value, partition=0, timestamp_ms=ended - DAY + SECOND
            )
        await producer.flush()
    async with running((access(AVRO),), kafka=settings, limits=QUICK):
        await published(settings, lambda events: len(events) > 1)
    await asyncio.sleep(max(0, due - time.time_ns() // 1_000_000) / 1000 + 0.1)  # until it has passed
    async with running((access(AVRO),), kafka=settings, limits=QUICK):
        await published(settings, lambda events: any(each["time"] >= due for each in events))
    events = await published(settings, lambda events: len(events) > 2)
    assert [
        (each["activity_id"], each["time"], each["unmapped"]["result"], each["unmapped"]["sla_state"]) for each in events
    ] == [
        (1, ended, "DUE", "due"),
        (2, due - HOUR // 4, "DUE", "critical"),
        (2, due, "FAIL", "failing"),
    ]
    assert [each["ce_id"] for each in events] == [each["metadata"]["uid"] for each in events]
    assert len({each["ce_id"] for each in events}) == 3
    assert [each["metadata"]["sequence"] for each in events] == [1, 2, 3]


async def test_case_14_an_exemption_that_ended_while_no_worker_ran_fails_again_once_at_the_instant_of_its_end(
    settings: KafkaSettings,
):
    ends = (time.time_ns() // 1_000_000_000 + 12) * SECOND
    left = ends - 2 * HOUR
    history = (policy(everyone()), staff("77", JO, at=left - DAY, ends=left), admin("admin.added", "7", JO, at=left - DAY),
               Exempting().granted(expires=ends))  # fmt: skip
    await create_topics(settings)
    async with producing(settings) as producer:
        for fact in history:
            value = fact_records.encode(AVRO, fact)
            await producer.send(settings.topic(facts.TOPIC), key=b"acme", value=value, partition=0, timestamp_ms=left + SECOND)
        await producer.flush()
    async with running((access(AVRO),), kafka=settings, limits=QUICK):
        await published(settings, lambda events: len(events) > 1)
    await asyncio.sleep(max(0, ends - time.time_ns() // 1_000_000) / 1000 + 0.1)
    async with running((access(AVRO),), kafka=settings, limits=QUICK):
        events = await published(settings, lambda events: len(events) > 2)
    assert [(each["time"], each["unmapped"]["result"], each["status"]) for each in events] == [
        (left, "FAIL", "New"),
        (left + SECOND, "EXEMPT", "Suppressed"),
        (ends, "FAIL", "New"),
    ]
    assert len({each["finding_info"]["uid"] for each in events}) == 1
    assert len({each["ce_id"] for each in events}) == 3
