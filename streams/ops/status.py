"""An installation at a glance: how much flows through each topic, how far agents are behind, how long things take, what is open."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from statistics import quantiles
from typing import Any, Final, NamedTuple

import msgspec

from connectors.kafka.clients import Consumer, started
from connectors.kafka.ranges import open_ranges, partitions_of
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.message import header
from schemas.topics import TOPICS
from streams.agents.topology import source_topics
from streams.core.access.checks.coverage import CHECK as COVERAGE
from streams.ops.codec import configured_codec
from streams.ops.dead_letters.causes import summaries
from streams.ops.generations.live import agents_lag, live_names, location
from streams.settings import Settings

_SAMPLE: Final = 500  # records from the end of each partition, to join causes with effects
_FEWEST: Final = 5  # a percentile of fewer says nothing


class TopicFlow(msgspec.Struct, frozen=True, kw_only=True):
    """A topic: offsets written a second, offsets in it, and how many its agent has not read, null where no agent reads it."""

    topic: str
    rate: float
    size: int
    lag: int | None = None


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """How long the latest took, in ms: the median, the 99th percentile, and of how many."""

    what: str
    p50: float
    p99: float
    events: int


class CheckCount(msgspec.Struct, frozen=True, kw_only=True):
    """A check: its answers by result, and its open findings."""

    check: str
    results: dict[str, int]
    open: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; times are ms."""

    at: int
    topics: tuple[TopicFlow, ...]
    delays: tuple[Delay, ...]
    checks: tuple[CheckCount, ...]
    dead_letters: int
    spool_bytes: int


async def status(settings: Settings, seconds: float) -> Status:
    """Return the status, with rates over that many seconds."""
    kafka = settings.kafka
    avro = await configured_codec(settings)
    flows = await _flows(kafka, seconds)
    samples = {topic: await _latest(kafka, topic) for topic in _SAMPLED}
    rows = await summaries(kafka, avro, lambda _: True)
    return Status(
        at=time.time_ns() // 1_000_000,
        topics=flows,
        delays=tuple(_delays(samples)),
        checks=await _checks(kafka, avro),
        dead_letters=sum(row.pending for row in rows),
        spool_bytes=await asyncio.to_thread(_spool_bytes, settings.ingress.spool),
    )


class _Sampled(NamedTuple):
    """A record of a sample: its own id, the id of its cause, and when it was written (ms)."""

    id: str | None
    cause: str | None
    written: int


_SAMPLED: Final = (
    "intercom.contacts", "intercom.companies", "intercom.admins", "access.facts", "people.changes", "orgs.changes", "access.violations",
)  # fmt: skip


def _delays(samples: dict[str, list[_Sampled]]) -> Iterable[Delay]:
    """Join the latest effects with their causes, as far as both are in the samples."""
    posts = {each.id: each.written for topic in _SAMPLED[:3] for each in samples[topic] if each.id}
    facts = {each.id: posts[each.cause] for each in samples["access.facts"] if each.id and each.cause in posts}
    for what, topics, causes in (
        ("post to profile", ("people.changes", "orgs.changes"), posts),
        ("post to violation", ("access.violations",), facts),
    ):
        times = [each.written - causes[each.cause] for topic in topics for each in samples[topic] if each.cause in causes]
        if len(times) >= _FEWEST:
            cuts = quantiles(times, n=100, method="inclusive")
            yield Delay(what=what, p50=cuts[49], p99=cuts[98], events=len(times))


async def _flows(kafka: KafkaSettings, seconds: float) -> tuple[TopicFlow, ...]:
    names = await live_names(kafka)
    async with started(Consumer(kafka, isolation_level="read_committed", enable_auto_commit=False)) as consumer:
        partitions = await partitions_of(consumer, *(location(names, topic) for topic in TOPICS))
        starts, before, since = (
            await consumer.beginning_offsets(partitions),
            await consumer.end_offsets(partitions),
            time.monotonic(),
        )
        await asyncio.sleep(seconds)
        after, elapsed = await consumer.end_offsets(partitions), time.monotonic() - since
    async with agents_lag(kafka, source_topics()) as lags:
        behind = await lags()
    written, held = Counter[str](), Counter[str]()
    for each in partitions:
        written[names.plain(each.topic)] += after[each] - before[each]
        held[names.plain(each.topic)] += after[each] - starts[each]
    return tuple(TopicFlow(topic=name, rate=written[name] / elapsed, size=held[name], lag=behind.get(name)) for name in TOPICS)


async def _latest(kafka: KafkaSettings, topic: str) -> list[_Sampled]:
    async with open_ranges(kafka, kafka.topic(topic), decided=False) as reader:
        return [
            _Sampled(header(record.headers, "ce_id"), header(record.headers, "ce_causationid"), record.timestamp)
            async for record in reader.latest(_SAMPLE)
            if header(record.headers, "ce_replayid") is None
        ]


async def _checks(kafka: KafkaSettings, avro: Avro) -> tuple[CheckCount, ...]:
    rows: dict[bytes, dict[str, Any] | None] = {}
    async with open_ranges(kafka, kafka.topic("access.state"), decided=False) as reader:
        async for record in reader.records():
            rows[record.key] = record.value and avro.decode(record.value)[1]
    results: dict[str, Counter[str]] = {}
    findings = Counter[str]()
    for row in rows.values():
        if row is not None and row["check"] != COVERAGE:
            results.setdefault(row["check"], Counter())[row["result"]] += 1
            findings[row["check"]] += row["finding"] is not None
    return tuple(
        CheckCount(check=check, results=dict(sorted(results[check].items())), open=findings[check]) for check in sorted(results)
    )


def _spool_bytes(folder: str) -> int:
    return sum(path.stat().st_size for path in Path(folder).glob("*.spool"))
