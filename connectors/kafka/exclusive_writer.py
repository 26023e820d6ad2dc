"""Writes facts as the only one: of several processes that decide from what the log has, one leads at a time.

Each has a producer with the same transactional id, and a new producer fences the one before. So who commits without having been fenced
knows that nobody else has written since it began to lead, and that what it decided from is still the newest.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from aiokafka.errors import InvalidProducerEpoch, ProducerFenced

from connectors.kafka.acknowledged import acknowledged
from connectors.kafka.clients import Producer, stop_at_once
from connectors.kafka.fact_log import FactRecord
from connectors.kafka.settings import AWAY, MAX_RECORD_BYTES, KafkaSettings
from schemas.access.facts import TOPIC
from schemas.errors import Unavailable
from schemas.partition import partition_of

_TRANSACTION_MS: Final = 20_000  # after a kill, what was begun hides later records of its partition from readers for so long
_REQUEST_MS: Final = 5_000
_START_S: Final = 5.0
_COMMIT_S: Final = 5.0  # and a millisecond for each fact: the largest groups have ten thousand
_RETRY_BACKOFF_MS: Final = 50


class LeadLost(Exception):  # named after what happened
    """Another process leads now, and may have written: read the log again, and decide again."""


class ExclusiveWriter:
    """The lead over one matter, named by `name`. Raises Unavailable where Kafka does not take part."""

    def __init__(self, kafka: KafkaSettings, name: str) -> None:
        self._kafka = kafka
        self._id = f"{kafka.topic_prefix}{name}"
        self._producer: Any = None
        self._partitions = 0
        self._stopping: set[asyncio.Task[None]] = set()

    async def lead(self) -> None:
        """Lead, if this process does not yet. What it knows of the log is then out of date, until it has read to the end of all."""
        if self._producer is not None:
            return
        producer = Producer(
            self._kafka, transactional_id=self._id, transaction_timeout_ms=_TRANSACTION_MS, acks="all",
            compression_type="zstd", max_request_size=MAX_RECORD_BYTES, request_timeout_ms=_REQUEST_MS, linger_ms=0,
            retry_backoff_ms=_RETRY_BACKOFF_MS,
        )  # fmt: skip
        try:
            async with asyncio.timeout(_START_S):
                await producer.start()
                self._partitions = len(await producer.partitions_for(self._kafka.topic(TOPIC)))
        except (*AWAY, TimeoutError) as error:
            self._abandon(producer)
            raise self._unavailable(error) from error
        except BaseException:
            self._abandon(producer)
            raise
        self._producer = producer

    async def commit(self, records: Sequence[FactRecord]) -> None:
        """Write all records or none. Raises LeadLost, and Unavailable where it is not known: the next lead settles that."""
        producer = self._producer
        try:
            async with asyncio.timeout(_COMMIT_S + len(records) / 1000):
                await producer.begin_transaction()
                await acknowledged(self._send(producer, records))
                await producer.commit_transaction()
        except (ProducerFenced, InvalidProducerEpoch) as error:
            self.resign()
            raise LeadLost from error
        except (*AWAY, TimeoutError) as error:
            self.resign()
            raise self._unavailable(error) from error
        except BaseException:
            self.resign()
            raise

    def resign(self) -> None:
        """Stop leading; what is not committed is lost."""
        if self._producer is not None:
            self._abandon(self._producer)
            self._producer = None

    async def close(self) -> None:
        """Stop leading, and wait until all producers are stopped."""
        self.resign()
        await asyncio.gather(*self._stopping, return_exceptions=True)

    async def _send(self, producer: Any, records: Sequence[FactRecord]) -> AsyncIterator[Any]:
        topic = self._kafka.topic(TOPIC)
        for key, value, headers in records:
            partition = partition_of(key, self._partitions)
            yield await producer.send(topic, value, key=key, headers=list(headers), partition=partition)

    def _abandon(self, producer: Any) -> None:
        task = asyncio.create_task(stop_at_once(producer))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    def _unavailable(self, error: BaseException) -> Unavailable:
        return Unavailable(
            f"Kafka at {self._kafka.bootstrap} did not take the facts ({type(error).__name__}). Is it up, and was "
            "`intercom-streams topics apply` run? The same request may be made again."
        )
