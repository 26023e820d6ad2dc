"""The three workloads: a replay, a first sync, and live traffic. Each begins with a warm-up that is not measured."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Any

import msgspec

from bench.cluster import source_producer
from bench.product import APP
from bench.profiles.posts import ContactHistory, ExpectedPerson
from connectors.intercom.ingress.routing import AuthenticPost, Router
from connectors.kafka.publisher import OutboundRecord
from connectors.kafka.settings import KafkaSettings
from schemas.partition import partition_of
from schemas.tenancy import Tenancy

CONTACTS = "intercom.contacts"
EVENTS_A_CONTACT = 10
_SEED = 13
_WARM_UP = 200  # contacts of their own, before a workload that begins with an empty table
_EVENTS_A_KNOWN_CONTACT = 4
_CONTACTS_A_LINKED_ONE = 20  # tags and companies come and go for one contact of so many
_TAGGED, _ATTACHED, _MERGED = 0.025, 0.015, 0.01  # shares of live traffic: 5 % together


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """Bodies of posts, first those of the warm-up, and the persons that must follow from all of them, by contact id."""

    warm_up: tuple[bytes, ...]
    measured: tuple[bytes, ...]
    expected: dict[str, ExpectedPerson]


class Routed(msgspec.Struct, frozen=True, kw_only=True):
    """The same as the records that the ingress would write; their topics have no prefix yet."""

    warm_up: tuple[OutboundRecord, ...]
    measured: tuple[OutboundRecord, ...]
    posts: int  # measured ones
    contacts: int
    expected: dict[str, ExpectedPerson]


class WorkloadKind(msgspec.Struct, frozen=True, kw_only=True):
    """How a workload of so many events is made, how many events it usually has, and the goal against the earlier commit."""

    make: Callable[[int], Workload]
    about: str
    events: int
    goal_before: float


def replay(count: int) -> Workload:
    """Ten events a contact, spread over the whole history."""
    history, chance = ContactHistory(_SEED), random.Random(_SEED)
    warm_up = _saved(history, _warm_up_numbers(count))
    measured = _saved(history, (chance.randrange(max(1, count // EVENTS_A_CONTACT)) for _ in range(count)))
    return Workload(warm_up=warm_up, measured=measured, expected=history.expected())


def first_sync(count: int) -> Workload:
    """One event for each of so many new contacts."""
    history = ContactHistory(_SEED)
    warm_up = _saved(history, _warm_up_numbers(count))
    return Workload(warm_up=warm_up, measured=_saved(history, range(count)), expected=history.expected())


def live(count: int) -> Workload:
    """Updates of contacts that are known, 5 % of them tags, companies and merges."""
    history, chance = ContactHistory(_SEED), random.Random(_SEED)
    known = list(range(max(10, count // _EVENTS_A_KNOWN_CONTACT)))
    warm_up = _saved(history, known)
    measured = tuple(_live_event(history, chance, known) for _ in range(count))
    return Workload(warm_up=warm_up, measured=measured, expected=history.expected())


WORKLOADS = MappingProxyType({
    "replay": WorkloadKind(make=replay, about="ten events a contact", events=30_000, goal_before=3),
    "first_sync": WorkloadKind(make=first_sync, about="one event for each new contact", events=20_000, goal_before=3),
    "live": WorkloadKind(
        make=live, about="four events a known contact, 5 % of them tags, companies, merges", events=20_000, goal_before=2.5
    ),
})  # fmt: skip


def routed(workload: Workload, tenancy: Tenancy) -> Routed:
    """Return the records of a workload, with the ingress' keys and headers."""
    measured = tuple(stream(workload.measured, tenancy))
    return Routed(
        warm_up=tuple(stream(workload.warm_up, tenancy)),
        measured=measured,
        posts=len(workload.measured),
        contacts=len({record.key for record in measured if record.topic == CONTACTS}),
        expected=workload.expected,
    )


def stream(bodies: Iterable[bytes], tenancy: Tenancy) -> Iterator[OutboundRecord]:
    """Yield the records of posts."""
    router = Router(tenancy, str)
    for body in bodies:
        yield from router.webhook(AuthenticPost(body, frozenset({APP})), time.time_ns() // 1_000_000).records


def about_contacts(records: Iterable[OutboundRecord]) -> int:
    """Return how many records are about contacts: each changes one person."""
    return sum(record.topic == CONTACTS for record in records)


def publish(kafka: KafkaSettings, records: Iterable[OutboundRecord]) -> None:
    """Write records to their partitions, in order."""
    producer = source_producer(kafka.bootstrap, **{"compression.type": "zstd"})
    for record in records:
        headers: list[Any] = list(record.headers)
        partition = partition_of(record.key, kafka.partitions)
        producer.produce(kafka.topic(record.topic), record.value, key=record.key, headers=headers, partition=partition)
        producer.poll(0)
    producer.flush()


def _warm_up_numbers(count: int) -> range:
    """Return numbers beyond those of the workload."""
    return range(count, count + min(_WARM_UP, count))


def _saved(history: ContactHistory, numbers: Iterable[int]) -> tuple[bytes, ...]:
    return tuple(history.saved(number) for number in numbers)


def _live_event(history: ContactHistory, chance: random.Random, known: list[int]) -> bytes:
    kind = chance.random()
    if kind < _TAGGED + _ATTACHED:
        linked = known[chance.randrange(max(1, len(known) // _CONTACTS_A_LINKED_ONE))]
        return history.tagged(linked) if kind < _TAGGED else history.attached(linked)
    number = known[chance.randrange(len(known))]
    if kind < _TAGGED + _ATTACHED + _MERGED and len(known) > 1:
        known.remove(number)
        return history.merged(known[chance.randrange(len(known))], number)
    return history.saved(number)
