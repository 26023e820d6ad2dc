"""The events of all rivals: 1.1 kB of JSON each, 50,000 keys, the same in every run; and the table that must follow from them."""

import random
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from bench.cluster import source_producer
from schemas.partition import partition_of

KEYS = 50_000
_KINDS = ("created", "updated", "tagged", "seen", "archived", "deleted")
_WORDS = ("ada", "brook", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "juniper")
_FILL = 620  # bytes of free text that bring an event to 1.1 kB


class SourceEvent(NamedTuple):
    """One event: its key, its id and its bytes."""

    key: bytes
    id: str
    value: bytes


class ExpectedRow(NamedTuple):
    """The row of a key that the table must have in the end."""

    n: int
    last: str  # id of the last event


def events(count: int, *, keys: int = KEYS, seed: int = 7) -> Iterator[SourceEvent]:
    """Generate events; the same count, keys and seed give the same events."""
    chance = random.Random(seed)
    encode = msgspec.json.Encoder().encode
    for number in range(count):
        person = chance.randrange(keys)
        event_id = f"event-{number:08d}"
        yield SourceEvent(f"person-{person:06d}".encode(), event_id, encode(_body(event_id, person, number, chance)))


def _body(event_id: str, person: int, number: int, chance: random.Random) -> dict[str, object]:
    return {
        "id": event_id,
        "kind": chance.choice(_KINDS),
        "at": 1_790_000_000_000 + number,
        "person": {
            "id": f"person-{person:06d}",
            "email": f"{chance.choice(_WORDS)}.{person}@example.com",
            "name": f"{chance.choice(_WORDS)} {chance.choice(_WORDS)}".title(),
            "tags": [chance.choice(_WORDS) for _ in range(4)],
            "companies": [{"id": f"company-{chance.randrange(900)}", "primary": True, "seats": chance.randrange(50)}],
            "attributes": {word: chance.randrange(1_000) for word in _WORDS[:6]},
            "consent": {"email": True, "sms": False, "phone": None},
        },
        "note": (" ".join(_WORDS) * 20)[:_FILL],
    }  # fmt: skip


def publish(bootstrap: str, topic: str, count: int, partitions: int, *, keys: int = KEYS) -> dict[bytes, ExpectedRow]:
    """Write the events to their partitions; return the table that must follow from them."""
    producer = source_producer(bootstrap)
    expected: dict[bytes, ExpectedRow] = {}
    for event in events(count, keys=keys):
        before = expected.get(event.key)
        expected[event.key] = ExpectedRow(before.n + 1 if before else 1, event.id)
        producer.produce(topic, event.value, key=event.key, partition=partition_of(event.key, partitions))
        producer.poll(0)
    producer.flush()
    return expected
