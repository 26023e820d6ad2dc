"""One event end to end: where it was recorded, which records followed from it on every topic, or why none did.

Everything that follows from an event names it in `ce_causationid`, so a trace needs nothing but the topics themselves.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from aiokafka import TopicPartition

from connectors.kafka import topics
from connectors.kafka.admin import admin_client
from connectors.kafka.ranges import OffsetRange, open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.dead_letters import origin_of
from schemas.errors import InvalidRecord
from schemas.intercom.values import instant
from schemas.message import header
from schemas.topics import TOPICS, Encoding
from streams.agents.topology import source_topics
from streams.engine.naming import Naming
from streams.ops.generations.live import live_names, location, reading_groups

_INBOUND: Final = tuple(
    name for name, topic in TOPICS.items() if "ingress" in topic.written_by or "other systems" in topic.written_by
)
_INTERNAL: Final = frozenset(name for name, topic in TOPICS.items() if topic.encoding is Encoding.INTERNAL)
_FOLLOWING: Final = tuple(
    name for name in TOPICS if name not in {*_INBOUND, "operations"}
)  # in the order in which causes precede effects
_CLOCKS_MS: Final = 60_000  # clocks of brokers and processes may differ by as much


class TracedRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record of the trace. Times are ms: `time` when it was true, `recorded` when it was received, `appended` as Kafka has it.

    `depth` counts the steps from the event itself; `detail` is the outcome of a fact, or the reason of a dead letter.
    `waited` (ms) is by how much an inbound record stands behind records that were received later: it waited in the ingress' spool.
    """

    topic: str
    partition: int
    offset: int
    id: str
    type: str
    depth: int
    appended: int
    cause: str | None = None
    time: int | None = None
    recorded: int | None = None
    key: str | None = None
    replay: str | None = None
    waited: int = 0
    detail: str | None = None


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The records of a trace, causes before effects, and one sentence about the event as a whole."""

    event: str
    records: tuple[TracedRecord, ...] = ()
    verdict: str = ""


async def trace(kafka: KafkaSettings, avro: Avro, event: str, since: int | None = None) -> Trace:
    """Trace the event with that id. `since` (ms) leaves out what was recorded earlier, which makes a long log shorter."""
    search = _Search(kafka, avro, event, await topics.present(kafka), await live_names(kafka))
    inbound = [record for topic in _INBOUND for record in await search.through(topic, since)]
    if not inbound:
        return Trace(event=event, verdict="no inbound topic has this event" + (" since that time" if since is not None else ""))
    first = min(record.appended for record in inbound) - _CLOCKS_MS
    found = [*inbound, *[record for topic in _FOLLOWING for record in await search.through(topic, first)]]
    return Trace(event=event, records=tuple(found), verdict=await _verdict(kafka, inbound, found))


class _Search:
    """The ids of an event and of what followed from it, by the number of steps; each topic searched adds to them."""

    def __init__(self, kafka: KafkaSettings, avro: Avro, event: str, present: Mapping[str, int], names: Naming) -> None:
        self._names = names
        self._kafka = kafka
        self._avro = avro
        self._present = present
        self._depths = {event: 0}

    async def through(self, topic: str, since: int | None) -> list[TracedRecord]:
        """Return a topic's records that are one of the events, or follow from one."""
        name = location(self._names, topic)
        if name not in self._present:
            return []
        found: list[TracedRecord] = []
        latest: dict[int, int] = {}  # by partition: the latest time of a record so far
        async with open_ranges(self._kafka, name) as reader:
            ranges = await reader.bounds()
            if since is not None:
                starts = await reader.offsets_at(since)
                ranges = {number: OffsetRange(_or(starts[number], end), end) for number, (_, end) in ranges.items()}
            async for record in reader.records(ranges):
                traced = _traced(topic, record, self._depths, self._avro, latest.get(record.partition, 0))
                if traced is not None:
                    found.append(traced)
                    self._depths.setdefault(traced.id, traced.depth)
                latest[record.partition] = max(latest.get(record.partition, 0), record.timestamp)
        return found


def _or(offset: int | None, end: int) -> int:
    return end if offset is None else offset


def _traced(topic: str, record: Any, depths: Mapping[str, int], avro: Avro, latest: int) -> TracedRecord | None:
    names = {name: value for name, value in record.headers if name in ("ce_id", "ce_causationid")}
    id_, cause = (names[name].decode("utf-8", "replace") if name in names else None for name in ("ce_id", "ce_causationid"))
    if id_ is None or (id_ not in depths and cause not in depths):
        return None
    return TracedRecord(
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        id=id_,
        type=header(record.headers, "ce_type") or "",
        depth=depths[id_] if id_ in depths else depths[cause or ""] + 1,
        appended=record.timestamp,
        cause=cause,
        time=_instant(header(record.headers, "ce_time")),
        recorded=_instant(header(record.headers, "ce_recordedtime")),
        key=None if record.key is None else record.key.decode("utf-8", "replace"),
        replay=header(record.headers, "ce_replayid"),
        waited=max(0, latest - record.timestamp) if topic in _INBOUND else 0,
        detail=_detail(topic, record, avro),
    )


def _detail(topic: str, record: Any, avro: Avro) -> str | None:
    if topic == "dead.letters":
        origin = origin_of(record.headers)
        return origin.reason if origin else None
    if record.value is None:
        return "deleted"
    if topic == "access.ledger":
        return f"outcome: {avro.decode(record.value)[1]['outcome']}"
    if topic == "access.state":
        state = avro.decode(record.value)[1]
        return f"{state['check']} {state['result']}: {state['reason']}"
    if topic == "access.violations":
        finding = avro.decode(record.value)[1]
        return str(finding["message"]) if finding.get("message") else None
    return None


def _instant(text: str | None) -> int | None:
    try:
        return instant(text)
    except InvalidRecord:
        return None


async def _verdict(kafka: KafkaSettings, inbound: Iterable[TracedRecord], found: list[TracedRecord]) -> str:
    originals = [record for record in inbound if record.replay is None] or list(inbound)
    first = originals[0]
    letters = [record for record in found if record.topic == "dead.letters"]
    effects = [record for record in found if record.topic not in {*_INBOUND, *_INTERNAL, "dead.letters"}]
    if effects:
        slowest = max(record.appended for record in effects) - min(record.appended for record in originals)
        return f"{len(effects)} records followed, the last {slowest} ms after the event was recorded"
    if letters:
        return "it could not be processed: `intercom-streams dead-letters list` shows the cause"
    if first.topic not in source_topics():
        return f"no agent reads {first.topic}: the event is kept there, and nothing follows from it"
    behind = await _behind(kafka, first)
    if behind is None:
        return "no worker has processed this topic yet: is one running?"
    if behind > 0:
        return f"it is not processed yet: the agent has {behind} offsets to read before it"
    return (
        "it was processed and changed nothing: what it says was known already, or something newer is known. "
        "What followed may also have been compacted or deleted since"
    )


async def _behind(kafka: KafkaSettings, record: TracedRecord) -> int | None:
    """Return how many offsets the agents have to read before they have read the record, 0 where they have; None without any position."""
    partition = TopicPartition(kafka.topic(record.topic), record.partition)
    groups = [group for group, place in reading_groups(await live_names(kafka), record.topic) if place == partition.topic]
    async with admin_client(kafka) as admin:
        committed = await admin.list_consumer_group_offsets(groups[0], partitions=[partition])
    position = committed[partition].offset if partition in committed else -1
    return None if position < 0 else max(0, record.offset + 1 - position)
