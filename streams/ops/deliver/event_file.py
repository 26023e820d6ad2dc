"""Appends a tenant's findings to a file of JSON lines, for forwarders of log files. The file itself has the positions."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from aiokafka import TopicPartition

from connectors.event_files.rotating_file import Line, RotatingFile
from connectors.kafka.clients import Consumer
from connectors.kafka.ranges import partitions_of
from connectors.kafka.settings import AWAY, KafkaSettings
from connectors.observability import metrics
from schemas.errors import InvalidRecord, StoreFailed, TopicMissing
from schemas.json_lines import json_line
from schemas.tenancy import EventFile
from schemas.webhooks.posted import SOURCE, event_type, posted_event, since_ms

log = structlog.get_logger(__name__)
_POLL_MS: Final = 500
_BATCH: Final = 500
_MB: Final = 1_000_000


class _EventMetadata(msgspec.Struct):
    uid: str


class _WrittenEvent(msgspec.Struct):
    metadata: _EventMetadata


_decode: Final = msgspec.json.Decoder(_WrittenEvent).decode


class EventFileDelivery:
    """One file. Only one process may write it: the file is locked."""

    def __init__(self, kafka: KafkaSettings, tenant: str, file: EventFile, on_ready: Callable[[], object]) -> None:
        self._kafka, self._tenant, self._settings, self._on_ready = kafka, tenant, file, on_ready
        self._topic = kafka.topic(SOURCE)
        self._consumer: Any = None

    async def run(self, stop: asyncio.Event) -> None:
        """Append until stopped. Raises Unavailable where Kafka does not answer or the disk is full, MustStop where a person has to act."""
        consumer = Consumer(self._kafka, isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest")
        self._consumer = consumer
        settings = self._settings
        file = RotatingFile(Path(settings.path), rotate_bytes=settings.rotate_mb * _MB, keep=settings.keep, id_of=_id_of)
        try:
            await consumer.start()
            partitions = await partitions_of(consumer, self._topic)
            if not partitions:
                raise TopicMissing(
                    f"There is no topic {self._topic} at {self._kafka.bootstrap}. Run: intercom-streams topics apply"
                )
            consumer.assign(partitions)
            opened = await asyncio.to_thread(file.__enter__)
            try:
                await self._seek(partitions, opened.positions)
                await self._append(opened, partitions, stop)
            finally:
                await asyncio.to_thread(file.close)
        except StoreFailed:
            metrics.EVENT_FILE_FAILING.labels(self._tenant).set(1)
            raise
        except AWAY as error:
            raise self._kafka.unavailable(error) from error
        finally:
            await consumer.stop()

    async def _append(self, file: RotatingFile, partitions: list[TopicPartition], stop: asyncio.Event) -> None:
        before: dict[str, int] = {}
        while not stop.is_set():
            batches = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_BATCH)
            lines = [line for records in batches.values() for record in records if (line := self._line(record)) is not None]
            positions = {str(each.partition): await self._consumer.position(each) for each in partitions}
            if positions != before:
                written = await asyncio.to_thread(file.append, lines, positions)
                metrics.EVENT_FILE_LINES.labels(self._tenant).inc(written)
                before = positions
            metrics.EVENT_FILE_FAILING.labels(self._tenant).set(0)
            self._on_ready()

    async def _seek(self, partitions: list[TopicPartition], known: Mapping[str, int]) -> None:
        """Continue where the file says, else at `since`."""
        consumer = self._consumer
        starts, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        since = self._settings.since
        dated = await consumer.offsets_for_times(dict.fromkeys(partitions, since_ms(since))) if since else {}
        for each in partitions:
            at = known.get(str(each.partition), -1)
            if at > ends[each]:
                log.error(
                    "a topic is not the one that was read before; it is read from `since`", tenant=self._tenant, topic=each.topic
                )
                at = -1
            if at < 0:
                at = starts[each] if not since else ends[each] if dated.get(each) is None else dated[each].offset
            elif at < starts[each]:
                log.error("events were deleted before they were delivered", tenant=self._tenant, offsets=starts[each] - at)
                metrics.EVENTS_MISSED.labels(f"{self._tenant}|file").inc(starts[each] - at)
                at = starts[each]
            consumer.seek(each, at)

    def _line(self, record: Any) -> Line | None:
        tenant = (record.key or b"").partition(b":")[0].decode("utf-8", "replace")
        if tenant != self._tenant or (self._settings.events and event_type(record) not in self._settings.events):
            return None
        try:
            event = posted_event(record)
        except InvalidRecord as error:
            log.warning("an event cannot be written into a file", tenant=tenant, offset=record.offset, reason=str(error))
            return None
        return Line(id=event.id, text=json_line(msgspec.Raw(record.value)))


def _id_of(line: bytes) -> str | None:
    try:
        return _decode(line).metadata.uid
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
