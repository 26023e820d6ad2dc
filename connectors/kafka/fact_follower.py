"""Follows the fact log of some tenants: hands over every committed record once, in order, and says when it has read up to now."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any, Final

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.clients import Consumer
from connectors.kafka.settings import KafkaSettings
from schemas.access.facts import TOPIC
from schemas.errors import Unavailable
from schemas.partition import partition_of

_log = structlog.get_logger(__name__)
_POLL_MS: Final = 100  # after an aborted transaction there is nothing to hand over, yet the position has moved
_BATCH: Final = 500  # records handled before other tasks run
_REQUEST_MS: Final = 5_000
_START_S: Final = 10.0
_END_S: Final = 3.0  # for the question where a log ends
_CATCH_UP_S: Final = 5.0
_RETRY_S: Final = 0.5


class FactFollower:
    """One reader of the partitions that some tenants' facts are in, from their beginning.

    `receive` gets each committed record. An error that it raises ends `run`: state that lacks a record must not be used.
    """

    def __init__(self, kafka: KafkaSettings, tenants: Collection[str], receive: Callable[[Any], None]) -> None:
        self._kafka = kafka
        self._tenants = tenants
        self._receive = receive
        self._consumer: Consumer | None = None
        self._partitions: dict[str, TopicPartition] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._moved = asyncio.Condition()

    async def run(self) -> None:
        """Follow until cancelled. Kafka may be away, also at the start."""
        consumer = await self._connect()
        self._consumer = consumer
        try:
            while True:
                for batch in (await consumer.getmany(timeout_ms=_POLL_MS, max_records=_BATCH)).values():
                    for record in batch:
                        self._receive(record)
                await self._note_positions(consumer)
        finally:
            self._consumer = None
            await _stop(consumer)

    async def catch_up(self, tenant: str, *, decided: bool = False) -> None:
        """Return once everything is handed over that was committed in a tenant's log when this was called.

        With `decided` also what was begun and is not committed yet, by any producer, once it is committed or aborted.
        Raises Unavailable where that takes too long.
        """
        if self._consumer is None:
            raise self._unavailable("Kafka has not answered yet")
        partition = self._partitions[tenant]
        ask = self._consumer.written_ends if decided else self._consumer.end_offsets
        try:
            async with asyncio.timeout(_END_S):
                end = (await ask([partition]))[partition]
        except (KafkaError, OSError, TimeoutError) as error:
            raise self._unavailable(f"Kafka does not say where it ends ({type(error).__name__})") from error
        try:
            async with asyncio.timeout(_CATCH_UP_S), self._moved:
                await self._moved.wait_for(lambda: self._positions.get(partition, 0) >= end)
        except TimeoutError:
            raise self._unavailable("it is not read to its end yet") from None

    async def _connect(self) -> Consumer:
        """Retry until a consumer is connected and has the topic."""
        options = {"enable_auto_commit": False, "request_timeout_ms": _REQUEST_MS, "retry_backoff_ms": 50}
        read = {"isolation_level": "read_committed", "auto_offset_reset": "earliest"}
        attempt = 0
        while True:
            consumer = Consumer(self._kafka, self._kafka.topic(TOPIC), **options, **read)
            try:
                async with asyncio.timeout(_START_S):
                    await consumer.start()
                self._assign(consumer)
            except (KafkaError, OSError, TimeoutError, Unavailable) as error:
                if attempt == 0:
                    _log.warning("the fact log cannot be read", error=type(error).__name__, hint="it is tried again; see kafka.*")
                await _stop(consumer)
                await asyncio.sleep(_RETRY_S)
                attempt += 1
            except BaseException:
                await _stop(consumer)
                raise
            else:
                return consumer

    def _assign(self, consumer: Any) -> None:
        topic = self._kafka.topic(TOPIC)
        every = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        if not every:
            raise self._unavailable(f"there is no topic {topic}; run `intercom-streams topics apply`")
        self._partitions = {tenant: every[partition_of(tenant.encode(), len(every))] for tenant in self._tenants}
        consumer.pause(*(other for other in every if other not in self._partitions.values()))

    async def _note_positions(self, consumer: Any) -> None:
        for partition in set(self._partitions.values()):
            self._positions[partition] = await consumer.position(partition)
        async with self._moved:
            self._moved.notify_all()

    def _unavailable(self, why: str) -> Unavailable:
        return Unavailable(f"The fact log cannot be used: {why}. The same request may be made again.")


async def _stop(consumer: Consumer) -> None:
    try:
        async with asyncio.timeout(_END_S):
            await consumer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        _log.warning("a reader of the fact log did not stop cleanly", error=type(error).__name__)
