"""Webhooks about contacts as the ingress would write them, and the persons that must follow from them."""

import random
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from bench.cluster import source_producer
from bench.product import APP, APP_ID
from connectors.intercom.ingress.routing import AuthenticPost, Router
from connectors.kafka.publisher import OutboundRecord
from connectors.simulator import payloads
from schemas.partition import partition_of
from streams.settings import Settings

_BEGAN_MS = 1_760_000_000_000
_STEP_MS = 1_000  # between two events, so that no two events of a contact are in the same second
_ATTRIBUTES = ("plan", "seats", "region", "trial", "score", "source", "segment", "team")


class ExpectedPerson(NamedTuple):
    """The values that a person must have in the end: the name and the seats of its contact's last event."""

    name: str
    seats: int


def publish(settings: Settings, count: int, keys: int) -> dict[str, ExpectedPerson]:
    """Write the webhooks to their topic in the order of their events; return the persons that must follow, by `external_id`."""
    router = Router(settings.tenancy, settings.kafka.topic)
    producer = source_producer(settings.kafka.bootstrap, **{"compression.type": "zstd"})
    expected: dict[str, ExpectedPerson] = {}
    for external, last, body in _events(count, keys):
        expected[external] = last
        for record in _routed(router, body):
            partition = partition_of(record.key, settings.kafka.partitions)
            headers: list[Any] = list(record.headers)
            producer.produce(record.topic, record.value, key=record.key, headers=headers, partition=partition)
        producer.poll(0)
    producer.flush()
    return expected


def _events(count: int, keys: int) -> Iterator[tuple[str, ExpectedPerson, bytes]]:
    chance = random.Random(13)
    for number in range(count):
        contact = chance.randrange(keys)
        external = f"user-{contact}"
        last = ExpectedPerson(f"Person {contact} in version {number}", chance.randrange(1_000))
        yield external, last, _body(number, contact, external, last)


def _body(number: int, contact: int, external: str, last: ExpectedPerson) -> bytes:
    at = _BEGAN_MS + number * _STEP_MS
    custom = {name: f"{name} of {contact % 97}" for name in _ATTRIBUTES} | {"seats": last.seats}
    item = payloads.contact(
        id=f"contact-{contact:08d}",
        app_id=APP_ID,
        external_id=external,
        name=last.name,
        email=f"person.{contact}@example.com",
        created_ms=_BEGAN_MS,
        updated_ms=at,
        custom=custom,
    )
    return payloads.notification("contact.user.updated", item, id=f"notif-{number:010d}", app_id=APP_ID, created_s=at // 1000)


def _routed(router: Router, body: bytes) -> tuple[OutboundRecord, ...]:
    return router.webhook(AuthenticPost(body, frozenset({APP})), time.time_ns() // 1_000_000).records
