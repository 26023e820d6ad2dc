"""Topics on the broker compared with the table: create missing ones and report differences; never change existing ones.

Partition counts decide where every record is, and retention decides which records remain: only an operator may change them.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError, for_code

from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_metadata import described
from connectors.kafka.topic_settings import read_settings, settings
from schemas.errors import BadConfiguration, IntercomStreamsError, Unavailable
from schemas.topics import TOPICS, Topic

_READY_SECONDS = 30
_POLL_SECONDS = 0.02  # at first: a quiet broker shows them at once, and a busy one would only be kept from its work
_LONGEST_POLL_SECONDS = 0.3
_NOBODY = -1  # the leader of a partition that has none
_EXISTS = 36  # Kafka's TOPIC_ALREADY_EXISTS: another process was faster
_TOO_FEW_BROKERS = 38  # INVALID_REPLICATION_FACTOR
_INVALID_NAME = 17  # INVALID_TOPIC_EXCEPTION
_DENIED = {29, 30, 31}  # topic, group and cluster authorisation


class Drift(msgspec.Struct, frozen=True):
    """One setting of a topic that differs from the table."""

    topic: str
    setting: str
    expected: str
    actual: str


class Report(msgspec.Struct, frozen=True):
    """How many topics were selected, which were created, and how existing ones differ from the table."""

    topics: int
    created: tuple[str, ...] = ()
    drift: tuple[Drift, ...] = ()


async def apply(kafka: KafkaSettings, extra: Iterable[Topic] = (), *, only: Collection[str] | None = None) -> Report:
    """Create missing topics and report drift of others. `extra` adds topics to the table's; `only` limits the table's by name."""
    selected = _selected(extra, only)
    async with _admin(kafka) as admin:
        present = await _partitions(admin, [kafka.topic(topic.name) for topic in selected])
        missing = [topic for topic in selected if kafka.topic(topic.name) not in present]
        created = await _create(admin, kafka, missing) if missing else ()
        await wait_until_ready(admin, [kafka.topic(topic.name) for topic in missing])
        drift = await _drift(admin, kafka, [topic for topic in selected if topic not in missing], present)
        return Report(len(selected), created, drift)


async def check(kafka: KafkaSettings, extra: Iterable[Topic] = (), *, only: Collection[str] | None = None) -> Report:
    """Report how topics differ from the table, missing ones included. Change nothing."""
    selected = _selected(extra, only)
    async with _admin(kafka) as admin:
        present = await _partitions(admin, [kafka.topic(topic.name) for topic in selected])
        return Report(len(selected), (), await _drift(admin, kafka, selected, present))


async def present(kafka: KafkaSettings) -> dict[str, int]:
    """Return the partition count of each topic of the cluster, by its name on the broker."""
    async with _admin(kafka) as admin:
        return {name: len(partitions) for name, partitions in (await _partitions(admin)).items()}


async def broker_settings(kafka: KafkaSettings) -> dict[str, dict[str, str]]:
    """Return the settings of each topic of this installation that the cluster has, by its name without prefix, as the brokers have them."""
    async with _admin(kafka) as admin:
        names = [name for name in await _partitions(admin) if name.startswith(kafka.topic_prefix)]
        return {name.removeprefix(kafka.topic_prefix): found for name, found in (await read_settings(admin, names)).items()}


def _selected(extra: Iterable[Topic], only: Collection[str] | None) -> list[Topic]:
    return [*(topic for name, topic in TOPICS.items() if only is None or name in only), *extra]


@asynccontextmanager
async def _admin(kafka: KafkaSettings) -> AsyncIterator[Any]:
    try:
        async with admin_client(kafka) as admin:
            yield admin
    except IntercomStreamsError:
        raise
    except (KafkaError, OSError) as error:
        raise kafka.unavailable(error) from error


async def _partitions(admin: Any, names: Collection[str] | None = None) -> dict[str, Any]:
    """Return the partitions of those of the topics that the cluster has; without names, of all its topics."""
    if names is not None:
        return await described(admin._client, names)  # noqa: SLF001  # a request of the client itself could create them
    return {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}


async def _create(admin: Any, kafka: KafkaSettings, missing: list[Topic]) -> tuple[str, ...]:
    new_topics = [
        NewTopic(kafka.topic(topic.name), kafka.partitions, kafka.replication, topic_configs=settings(topic, kafka))
        for topic in missing
    ]
    response = await admin.create_topics(new_topics)
    created = []
    for name, code, *_ in response.topic_errors:
        if code == 0:
            created.append(name)
        elif code != _EXISTS:
            raise _creation_error(name, code, kafka)
    return tuple(created)


async def wait_until_ready(admin: Any, names: Collection[str]) -> None:
    """Return when a broker shows the topics, and a leader for each partition.

    It learns of them a moment after the controller has agreed to create them; a partition whose broker is taken for dead has no leader.
    """
    pause = _POLL_SECONDS
    shown: dict[str, Any] = {}
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while names and not _all_led(shown := await _partitions(admin, names), names):
                await asyncio.sleep(pause)
                pause = min(_LONGEST_POLL_SECONDS, pause * 1.5)
    except TimeoutError:
        lacking = "has a leader for every partition of them" if shown.keys() >= set(names) else "shows them"
        raise Unavailable(
            f"topics were created, and no broker {lacking} after {_READY_SECONDS} s; is the cluster healthy?"
        ) from None


def _all_led(shown: Mapping[str, Any], names: Collection[str]) -> bool:
    return all(name in shown and all(each["leader"] != _NOBODY for each in shown[name]) for name in names)


def _creation_error(name: str, code: int, kafka: KafkaSettings) -> Exception:
    if code == _TOO_FEW_BROKERS:
        return BadConfiguration(
            f"kafka.replication is {kafka.replication}, and the cluster at {kafka.bootstrap} has fewer brokers"
        )
    if code == _INVALID_NAME:
        return BadConfiguration(
            f"{name!r} is no topic name for Kafka: kafka.topic_prefix may hold letters, digits, '.', '_' and '-'"
        )
    if code in _DENIED:
        return BadConfiguration(f"this user may not create topics ({name}): grant CREATE, or have the topics created for it")
    return Unavailable(f"topic {name} was not created: the broker answered {for_code(code).__name__}")


async def _drift(admin: Any, kafka: KafkaSettings, topics: list[Topic], present: Mapping[str, Any]) -> tuple[Drift, ...]:
    existing = [topic for topic in topics if kafka.topic(topic.name) in present]
    current = await read_settings(admin, [kafka.topic(topic.name) for topic in existing])
    rows = [Drift(kafka.topic(topic.name), "topic", "present", "missing") for topic in topics if topic not in existing]
    for topic in existing:
        name = kafka.topic(topic.name)
        expected = {**_layout(kafka), **settings(topic, kafka)}
        actual = {**_actual_layout(present[name]), **current[name]}
        rows += [
            Drift(name, setting, value, actual.get(setting, "nothing"))
            for setting, value in expected.items()
            if actual.get(setting) != value
        ]
    return tuple(rows)


def _layout(kafka: KafkaSettings) -> dict[str, str]:
    return {"partitions": str(kafka.partitions), "replication": str(kafka.replication)}


def _actual_layout(partitions: list[dict[str, Any]]) -> dict[str, str]:
    copies = sorted({len(partition["replicas"]) for partition in partitions})
    return {"partitions": str(len(partitions)), "replication": " and ".join(map(str, copies))}
