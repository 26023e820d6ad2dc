"""Read dead letters, and what was done about each: letters stay on their topic, decisions are operations on a topic of their own."""

import re
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from typing import Final, NamedTuple

from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas import dead_letters, operations
from schemas.codec import Avro
from schemas.dead_letters import DeadLetterOrigin, origin_of
from schemas.message import Message, header
from schemas.operations import DROPPED, REDRIVEN, RecordPosition

_VARIABLE: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")  # what differs between letters of one cause: values, offsets, numbers


class Letter(NamedTuple):
    """A dead letter: where it is, where its record came from, and why it was rejected."""

    position: RecordPosition
    time: int  # ms, of the rejection
    origin: DeadLetterOrigin
    record: Message

    @property
    def id(self) -> str:
        """Its partition and offset, as commands take it."""
        return f"{self.position.partition}:{self.position.offset}"

    @property
    def cause(self) -> str:
        """What letters share that one repair cures: agent, topic, and the reason without its variable parts."""
        pattern = _VARIABLE.sub("…", self.origin.reason)
        return sha256(f"{self.origin.agent}|{self.origin.topic}|{pattern}".encode()).hexdigest()[:8]

    @property
    def cut(self) -> str | None:
        """The parts that did not fit: such a letter can be read, and not sent again."""
        return header(self.record.headers, "dl_cut")

    @property
    def content(self) -> bytes:
        """A hash of topic, key and value: the same record, rejected again, has the same."""
        parts = (self.origin.topic.encode(), self.record.key or b"", self.record.value or b"")
        return sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


Selection = Callable[[Letter], bool]


async def letters(kafka: KafkaSettings) -> AsyncIterator[Letter]:
    """Yield the letters that are there by now, each partition's in order."""
    async with open_ranges(kafka, kafka.topic(dead_letters.TOPIC)) as reader:
        async for record in reader.records():
            origin = origin_of(record.headers)
            if origin is not None:
                position = RecordPosition(topic=dead_letters.TOPIC, partition=record.partition, offset=record.offset)
                yield Letter(position, record.timestamp, origin, record)


async def resolutions(kafka: KafkaSettings, avro: Avro) -> dict[RecordPosition, str]:
    """Return the letters that were redriven or dropped, and which of the two."""
    done: dict[RecordPosition, str] = {}
    async with open_ranges(kafka, kafka.topic(operations.TOPIC)) as reader:
        async for record in reader.records():
            operation = operations.decode(avro, record.value)
            if operation.kind in (REDRIVEN, DROPPED) and operation.subject is not None:
                done[operation.subject] = operation.kind
    return done
