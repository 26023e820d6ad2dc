"""One Kafka transaction: outputs, table changes and input positions of one partition batch, true together or not at all."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError

from schemas.message import Headers
from schemas.partition import partition_of
from streams.engine.tables import commit_state as positions
from streams.engine.tables.commit_state import CommitState
from streams.engine.tables.store import Bookmark

Sent = tuple[str, bytes | None, bytes | None, Headers, int | None]
Count = Callable[[str], Awaitable[int]]


class Transaction:
    """Collects records into batches by partition and sends each batch whole: a third cheaper than record by record."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._open: dict[tuple[str, int], Any] = {}
        self._full: list[tuple[tuple[str, int], Any]] = []

    def add(self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers = ()) -> Any:
        """Append a record and return its place in its batch. Nothing is sent yet, so nothing is awaited for each record.

        A builder that is full drops silently, so its answer is checked.
        """
        place = (topic, partition)
        builder = self._open.get(place)
        if builder is None:
            builder = self._open[place] = self._producer.create_batch()
        added = builder.append(key=key, value=value, timestamp=None, headers=list(headers))
        if added is None:
            self._full.append((place, builder))
            builder = self._open[place] = self._producer.create_batch()
            added = builder.append(key=key, value=value, timestamp=None, headers=list(headers))
            if added is None:
                raise ValueError(f"a record for {topic} is larger than a batch")
        return added

    async def flush(self) -> dict[tuple[str, int], Any]:
        """Send all batches, wait until the brokers have everything, and return the last answer of each partition.

        What the brokers refuse of one batch can come while the next is handed over, which aiokafka then says is in no transaction.
        """
        acks: list[tuple[tuple[str, int], Awaitable[Any]]] = []
        refused: KafkaError | None = None
        for place, builder in (*self._full, *self._open.items()):
            builder.close()
            try:
                acks.append((place, await self._producer.send_batch(builder, place[0], partition=place[1])))
            except (KafkaError, IllegalOperation) as error:
                refused = error if isinstance(error, KafkaError) else KafkaError(str(error))
                break
        answers = await asyncio.gather(*(ack for _, ack in acks), return_exceptions=True)  # all of them, or some go unheard
        for answer in (*answers, refused):  # the batches' own answers first: they tell the cause
            if isinstance(answer, BaseException):
                raise answer
        return {place: answer for (place, _), answer in zip(acks, answers, strict=True)}


async def commit(
    producer: AIOKafkaProducer,
    *,
    sent: Sequence[Sent],
    changes: Mapping[str, bytes | None],
    changelog: str,
    partition: int,
    standing: CommitState,
    name_of: Callable[[str], str],
    count_of: Count,
    group: str,
) -> Bookmark | None:
    """Write everything in one transaction and return where the changelog then stands. Any error leaves the outcome open: reload.

    `name_of` gives the broker's name and `count_of` a broker topic's number of partitions.
    """
    counts: dict[str, int] = {}
    await producer.begin_transaction()
    batch = Transaction(producer)
    for topic, key, value, headers, target in sent:
        name = name_of(topic)
        if target is None:
            if name not in counts:
                counts[name] = await count_of(name)
            target = partition_of(key or b"", counts[name])
        batch.add(name, target, key, value, headers)
    for text, data in changes.items():
        batch.add(changelog, partition, text.encode(), data)
    stood = positions.encode(standing)
    added = batch.add(changelog, partition, positions.KEY, stood)
    answer = (await batch.flush())[changelog, partition]
    offsets = {TopicPartition(name_of(topic), partition): offset for topic, offset in standing.positions.items()}
    await producer.send_offsets_to_transaction(offsets, group)
    await producer.commit_transaction()
    if answer.offset < 0:
        return None  # a batch sent twice is answered without its position
    return Bookmark(answer.offset + added.offset, answer.timestamp if answer.timestamp >= 0 else added.timestamp, stood)
