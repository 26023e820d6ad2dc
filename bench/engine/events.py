"""The events all rivals read: 1.1 kB of JSON each over 50,000 keys, the same at every run, and what a table over them must hold."""

import random
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from bench.cluster import filling
from schemas.partition import partition_of

KEYS = 50_000
_KINDS = ("created", "updated", "tagged", "seen", "archived", "deleted")
_WORDS = ("ada", "brook", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "juniper")
_FILL = 620  # bytes of free text that bring an event to 1.1 kB


class Event(NamedTuple):
    """One event: its key, its id and its bytes."""

    key: bytes
    id: str
    value: bytes


class Expected(NamedTuple):
    """What the table must hold for a key in the end."""

    n: int
    last: str  # id of the last event


def events(count: int, *, keys: int = KEYS, seed: int = 7) -> Iterator[Event]:
    """Generate events; the same count, keys and seed give the same ones."""
    chance = random.Random(seed)
    encode = msgspec.json.Encoder().encode
    for number in range(count):
        person = chance.randrange(keys)
        found = f"event-{number:08d}"
        yield Event(f"person-{person:06d}".encode(), found, encode(_body(found, person, number, chance)))


def _body(found: str, person: int, number: int, chance: random.Random) -> dict[str, object]:
    return {
        "id": found,
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


def publish(bootstrap: str, topic: str, count: int, partitions: int, *, keys: int = KEYS) -> dict[bytes, Expected]:
    """Write the events to their partitions and return what a table over them must hold."""
    producer = filling(bootstrap)
    expected: dict[bytes, Expected] = {}
    for event in events(count, keys=keys):
        before = expected.get(event.key)
        expected[event.key] = Expected(before.n + 1 if before else 1, event.id)
        producer.produce(topic, event.value, key=event.key, partition=partition_of(event.key, partitions))
        producer.poll(0)
    producer.flush()
    return expected
