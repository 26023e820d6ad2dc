"""Topics on the broker against the table: create what is missing, and say what differs; never change what exists.

Partition counts and keys decide where every record lies, and retention decides what is still there: both are for a person to change.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_settings import settings
from schemas.errors import BadConfiguration, IntercomStreamsError, Unavailable
from schemas.topics import TOPICS, Topic

_VISIBLE_SECONDS = 30
_POLL_SECONDS = 0.02
_EXISTS = 36  # Kafka's TOPIC_ALREADY_EXISTS: another process was quicker
_TOO_FEW_BROKERS = 38  # INVALID_REPLICATION_FACTOR
_INVALID_NAME = 17  # INVALID_TOPIC_EXCEPTION
_DENIED = {29, 30, 31}  # topic, group and cluster authorisation


class Drift(msgspec.Struct, frozen=True):
    """One point in which a topic is not what the table says."""

    topic: str
    setting: str
    expected: str
    actual: str


class Report(msgspec.Struct, frozen=True):
    """What was created, how many topics the table has, and where those that existed differ."""

    topics: int
    created: tuple[str, ...] = ()
    drift: tuple[Drift, ...] = ()


async def apply(kafka: KafkaSettings, extra: Iterable[Topic] = (), *, only: Collection[str] | None = None) -> Report:
    """Create the topics that are missing. `extra` topics come beside the table's; `only` limits the table's to some names."""
    wanted = _selected(extra, only)
    async with _admin(kafka) as admin:
        present = await _partitions(admin)
        missing = [topic for topic in wanted if kafka.topic(topic.name) not in present]
        created = await _create(admin, kafka, missing) if missing else ()
        await _wait_until_visible(admin, [kafka.topic(topic.name) for topic in missing])
        drift = await _drift(admin, kafka, [topic for topic in wanted if topic not in missing], present)
        return Report(len(wanted), created, drift)


async def check(kafka: KafkaSettings, extra: Iterable[Topic] = (), *, only: Collection[str] | None = None) -> Report:
    """Say where topics differ from the table, missing ones included. Changes nothing."""
    wanted = _selected(extra, only)
    async with _admin(kafka) as admin:
        return Report(len(wanted), (), await _drift(admin, kafka, wanted, await _partitions(admin)))


async def present(kafka: KafkaSettings) -> dict[str, int]:
    """Return how many partitions each topic of the cluster has, by its name on the broker."""
    async with _admin(kafka) as admin:
        return {name: len(partitions) for name, partitions in (await _partitions(admin)).items()}


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
        raise Unavailable(
            f"Kafka at {kafka.bootstrap} does not answer ({type(error).__name__}). Is it running, and are kafka.bootstrap and "
            "kafka.security_protocol right? `intercom-streams stack up` starts one on this machine."
        ) from error


async def _partitions(admin: Any) -> dict[str, Any]:
    """Return all topics of the cluster with their partitions. Asking for one by name could create it."""
    return {found["topic"]: found["partitions"] for found in await admin.describe_topics()}


async def _create(admin: Any, kafka: KafkaSettings, missing: list[Topic]) -> tuple[str, ...]:
    new_topics = [
        NewTopic(kafka.topic(topic.name), kafka.partitions, kafka.replication, topic_configs=settings(topic, kafka))
        for topic in missing
    ]
    answer = await admin.create_topics(new_topics)
    created = []
    for name, code, *_ in answer.topic_errors:
        if code == 0:
            created.append(name)
        elif code != _EXISTS:
            raise _creation_error(name, code, kafka)
    return tuple(created)


async def _wait_until_visible(admin: Any, names: Collection[str]) -> None:
    """Return when a broker shows the topics: it hears of them a moment after the controller has agreed to create them."""
    try:
        async with asyncio.timeout(_VISIBLE_SECONDS):
            while names and not (await _partitions(admin)).keys() >= set(names):  # noqa: ASYNC110  nobody here could set an event
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise Unavailable(
            f"topics were created, and no broker shows them after {_VISIBLE_SECONDS} s; is the cluster healthy?"
        ) from None


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
    found = await _settings_of(admin, [kafka.topic(topic.name) for topic in existing])
    rows = [Drift(kafka.topic(topic.name), "topic", "present", "missing") for topic in topics if topic not in existing]
    for topic in existing:
        name = kafka.topic(topic.name)
        expected = {**_layout(kafka), **settings(topic, kafka)}
        actual = {**_actual_layout(present[name]), **found[name]}
        rows += [
            Drift(name, what, value, actual.get(what, "nothing")) for what, value in expected.items() if actual.get(what) != value
        ]
    return tuple(rows)


def _layout(kafka: KafkaSettings) -> dict[str, str]:
    return {"partitions": str(kafka.partitions), "replication": str(kafka.replication)}


def _actual_layout(partitions: list[dict[str, Any]]) -> dict[str, str]:
    copies = sorted({len(partition["replicas"]) for partition in partitions})
    return {"partitions": str(len(partitions)), "replication": " and ".join(map(str, copies))}


async def _settings_of(admin: Any, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    found: dict[str, dict[str, str]] = {}
    for answer in answers:
        for code, _, _, name, entries in answer.resources:
            if code:
                raise Unavailable(f"the settings of topic {name} cannot be read: {for_code(code).__name__}")
            found[name] = {entry[0]: entry[1] for entry in entries}
    return found
