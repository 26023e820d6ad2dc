"""Redrive dead letters, or drop them.

The record goes to its topic and the operation to `operations` in one transaction, by one process at a time: a letter is sent again
once, whatever is killed, and however often it is asked for.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, Transactions, transactions
from schemas.codec import Avro
from schemas.dead_letters import original_record
from schemas.ids import derived
from schemas.operations import REDRIVEN, Operation
from schemas.topics import TOPICS
from schemas.webhooks.posted import REDELIVER_TO, REDELIVERIES, endpoint_of
from streams.ops.dead_letters.letters import Letter, Selection, letters, resolutions
from streams.ops.journal import entry_of

_CHUNK: Final = 500  # letters in a transaction …
_CHUNK_BYTES: Final = 4 * 1024 * 1024  # … and their bytes, so that it takes far less than its ten seconds
_TRANSACTIONAL_ID: Final = "dead-letters"


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with letters (`kind`: REDRIVEN or DROPPED), by whom, when (ms) and why; with at most `limit` of them."""

    kind: str
    time: int
    actor: str | None = None
    reason: str | None = None
    limit: int | None = None


class Counts(msgspec.Struct, kw_only=True):
    """Letters done now, done before, and those that cannot be sent again: cut, or of a topic that is not there."""

    done: int = 0
    before: int = 0
    cut: int = 0
    unknown_topic: int = 0


async def resolve(
    kafka: KafkaSettings, avro: Avro, selected: Selection, resolution: Resolution, on_progress: Callable[[int], None]
) -> Counts:
    """Redrive or drop the selected letters that are there by now. A record is sent as it was: key, value, headers, hence the same event.

    A letter that was redriven or dropped before is left alone. Raises Unavailable where Kafka does not answer or another process does the
    same; what was done until then stays done.
    """
    counts = Counts()
    present = await topics.present(kafka)
    targets = {name for name in TOPICS if kafka.topic(name) in present}
    async with transactions(kafka, _TRANSACTIONAL_ID) as producer:
        done = await resolutions(kafka, avro)
        chunk: list[Letter] = []
        size = 0
        async for letter in letters(kafka):
            if resolution.limit is not None and counts.done + len(chunk) >= resolution.limit:
                break
            if not selected(letter):
                continue
            if letter.position in done:
                counts.before += 1
            elif resolution.kind == REDRIVEN and letter.cut:
                counts.cut += 1
            elif resolution.kind == REDRIVEN and letter.origin.topic not in targets:
                counts.unknown_topic += 1
            else:
                chunk.append(letter)
                size += len(letter.record.value or b"")
            if len(chunk) >= _CHUNK or size >= _CHUNK_BYTES:
                await _commit(producer, avro, chunk, resolution)
                counts.done += len(chunk)
                on_progress(counts.done)
                chunk, size = [], 0
        await _commit(producer, avro, chunk, resolution)
        counts.done += len(chunk)
    return counts


async def _commit(producer: Transactions, avro: Avro, chunk: list[Letter], resolution: Resolution) -> None:
    records = [_original(letter) for letter in chunk] if resolution.kind == REDRIVEN else []
    await producer.append([*records, *(_operation(avro, letter, resolution) for letter in chunk)])


def _original(letter: Letter) -> TopicRecord:
    """Return the record for its topic; one that a webhook endpoint did not accept is for that endpoint alone, since all others had it."""
    record, origin = letter.record, letter.origin
    if endpoint := endpoint_of(origin.agent):
        headers = [*original_record(record.headers), (REDELIVER_TO, endpoint.encode())]
        return TopicRecord(REDELIVERIES, record.key, record.value, headers, origin.partition)
    return TopicRecord(origin.topic, record.key, record.value, original_record(record.headers), origin.partition)


def _operation(avro: Avro, letter: Letter, resolution: Resolution) -> TopicRecord:
    operation = Operation(
        id=derived(resolution.kind, str(letter.position)),
        kind=resolution.kind,
        time=resolution.time,
        actor=resolution.actor,
        subject=letter.position,
        reason=resolution.reason,
        details={"topic": letter.origin.topic, "cause": letter.cause},
    )
    return entry_of(avro, operation)
