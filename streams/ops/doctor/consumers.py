"""The agents' consumer group: is a worker in it, how far behind it is and whether that grows, and whether a transaction is stuck."""

import asyncio
from typing import Any, Final

from aiokafka import TopicPartition

from connectors.kafka.admin import admin_client
from connectors.kafka.clients import Consumer, started
from connectors.kafka.ranges import partitions_of
from schemas.topics import TOPICS
from streams.agents.topology import source_topics
from streams.engine.naming import Naming
from streams.ops.doctor.finding import Findings, Patient, State, ok, problem, warning
from streams.ops.generations.live import agents_lag, written_ends

_NOTEWORTHY_LAG: Final = 1000  # offsets: what the agents read in less than a second
_HANGING: Final = "if it stays: kafka-transactions.sh find-hanging, then abort; docs/operations.md, A transaction hangs"
_STUCK_MS: Final = 60_000  # a transaction lives for 15 s at most
_DEAD_STATES: Final = {"Dead", "Empty", ""}


async def workers(patient: Patient) -> Findings:
    """Examine whether anybody is in the group."""
    kafka = patient.settings.kafka
    group = Naming(prefix=kafka.topic_prefix).group
    async with admin_client(kafka) as admin:
        (response,) = await admin.describe_consumer_groups([group])
    _, _, state, _, _, members, *_ = response.groups[0]
    if state in _DEAD_STATES or not members:
        return [problem("no worker is running: events are kept and not processed", "start `intercom-streams worker` or `run`")]
    if state != "Stable":
        return [warning(f"the workers are dividing their partitions ({state})", "look again in a few seconds")]
    return [ok(f"workers that share the partitions: {len(members)}")]


async def lag(patient: Patient) -> Findings:
    """Examine how many offsets the agents have not read, twice."""
    kafka, sources = patient.settings.kafka, source_topics()
    async with agents_lag(kafka, sources) as lags:
        before = await lags()
        if sum(before.values()) <= _NOTEWORTHY_LAG:
            return [ok(f"the agents are {sum(before.values())} offsets behind")]
        async with written_ends(kafka, sources) as ends:
            written_before = await ends()
            before = await lags()
            await asyncio.sleep(patient.trend_seconds)
            written, after = await ends(), await lags()
    found = [
        trend(topic, before[topic], behind, written[topic] - written_before[topic], patient.trend_seconds)
        for topic, behind in sorted(after.items(), key=lambda item: -item[1])
        if behind > _NOTEWORTHY_LAG
    ]
    return found or [ok("the agents have just caught up")]


def trend(topic: str, before: int, behind: int, written: int, seconds: float) -> tuple[State, str, str]:
    """Return what it means that a lag was so large and is so large some seconds later, while so many offsets were written."""
    fewer, read = (before - behind) / seconds, (before - behind + written) / seconds
    if fewer > 0:
        text = f"{topic}: {behind:,} offsets behind, and {fewer:,.0f} fewer each second"
        return warning(text, f"caught up in about {behind / fewer:,.0f} s, if nothing else comes")
    if read > 0:
        text = f"{topic}: {behind:,} offsets behind; {read:,.0f} a second are read, and as many or more come"
        return warning(
            text, "behind another agent that catches up it passes; if it lasts, more workers, up to one for each partition"
        )
    remedy = "start a worker, or more of them; `/ready` of a worker says what each partition does"
    return problem(f"{topic}: {behind:,} offsets behind, and not fewer", remedy)


async def transactions(patient: Patient) -> Findings:
    """Examine whether an open transaction keeps readers of committed records from reading on."""
    kafka = patient.settings.kafka
    options = {"enable_auto_commit": False, "auto_offset_reset": "earliest"}
    found = []
    async with (
        started(Consumer(kafka, **options, isolation_level="read_committed")) as committed,
        started(Consumer(kafka, **options, isolation_level="read_uncommitted")) as every,
    ):
        partitions = await partitions_of(every, *map(kafka.topic, TOPICS))
        stable, ends = await committed.end_offsets(partitions), await every.end_offsets(partitions)
        for each in (each for each in partitions if stable[each] < ends[each]):
            age = patient.now - await _timestamp(every, each, stable[each])
            if age > _STUCK_MS:
                text = (
                    f"{each.topic} {each.partition}: a transaction is open since {age // 1000} s; nothing behind it can be read"
                )
                found.append(problem(text, _HANGING))
    return found or [ok("no transaction is stuck")]


async def _timestamp(consumer: Any, partition: TopicPartition, offset: int) -> int:
    """Return when the record at an offset was written (ms)."""
    consumer.assign([partition])
    consumer.seek(partition, offset)
    fetched = await consumer.getmany(partition, timeout_ms=2000, max_records=1)
    records = fetched.get(partition, [])
    return int(records[0].timestamp) if records else 0
