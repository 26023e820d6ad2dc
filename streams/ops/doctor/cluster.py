"""The Kafka cluster: does it answer, does it have enough brokers, and the settings that the guarantees need."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from connectors.backup.target_cluster import FILLING
from connectors.kafka import topics as on_broker
from connectors.kafka.admin import admin_client
from connectors.kafka.settings import DEAD_LETTER_ROOM, MAX_RECORD_BYTES
from streams.ops.doctor.finding import Findings, Patient, State, ok, problem, warning
from streams.ops.generations.live import each_live_topic

_MOST_NAMES: Final = 10  # of missing topics; the rest is counted


class _Need(NamedTuple):
    """A setting of brokers: what a value has to be, in words, and what happens with another."""

    holds: Callable[[str], bool]
    expected: str
    otherwise: str
    severe: bool


_NEEDS: Final[Mapping[str, _Need]] = {
    "message.max.bytes": _Need(
        lambda value: int(value) >= MAX_RECORD_BYTES + DEAD_LETTER_ROOM,
        f"at least {MAX_RECORD_BYTES + DEAD_LETTER_ROOM}", "large posts become dead letters", severe=True,
    ),
    "unclean.leader.election.enable": _Need(
        lambda value: value == "false", "false", "records that were acknowledged can be lost when a broker fails", severe=True
    ),
    "auto.create.topics.enable": _Need(
        lambda value: value == "false", "false", "a misspelt topic is created with wrong settings instead of refused", severe=False
    ),
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": _Need(
        lambda value: int(value) <= 1000, "1000 or less",  # noqa: PLR2004  # as docs/operations.md asks
        "a killed worker's partitions stand still for longer", severe=False,
    ),
}  # fmt: skip


async def brokers(patient: Patient) -> Findings:
    """Examine the number of brokers and their settings."""
    kafka = patient.settings.kafka
    async with admin_client(kafka) as admin:
        nodes = [broker["node_id"] for broker in (await admin.describe_cluster())["brokers"]]
        found = [_count(nodes, kafka.replication, kafka.min_insync)]
        for node in sorted(nodes):
            values = await _settings_of(admin, node)
            for name, need in _NEEDS.items():
                value = values.get(name)
                if value is not None and not need.holds(value):
                    text = f"broker {node}: {name} is {value}: {need.otherwise}"
                    found.append((problem if need.severe else warning)(text, f"set {name} to {need.expected} on every broker"))
    return found


async def topics(patient: Patient) -> Findings:
    """Examine every topic against the table: present, partitions, replication, retention, compaction, timestamps."""
    kafka = patient.settings.kafka
    report = await each_live_topic(kafka, lambda settings, extra, only: on_broker.check(settings, extra, only=only))
    if not report.drift:
        return [ok(f"{report.topics} topics are as they should be")]
    missing = [each.topic for each in report.drift if each.setting == "topic"]
    found = []
    if missing:
        found.append(problem(f"topics are missing: {_some(missing)}", "run `intercom-streams topics apply`"))
    filling = [each for each in report.drift if FILLING.get(each.setting) == each.actual]
    if len({each.topic for each in filling}) > report.topics // 2:
        text = "most topics are as a restore has them while it fills them: one works here now, or was broken off"
        remedy = (
            "wait for it; one that was broken off is of no use: delete these topics, and run `intercom-streams restore` again"
        )
        found.append(problem(text, remedy))
    else:
        filling = []
    for each in (each for each in report.drift if each.setting != "topic" and each not in filling):
        text = f"{each.topic}: {each.setting} is {each.actual} and should be {each.expected}"
        found.append(
            problem(text, _REMEDIES.get(each.setting, f"set {each.setting}={each.expected} with the broker's own tools"))
        )
    return found


_REMEDIES: Final = {
    "partitions": "a keyed topic's partitions are fixed when it is created: set kafka.partitions to what the topic has",
    "replication": "reassign its partitions with the broker's own tools, or set kafka.replication to what you want",
    "cleanup.policy": "set it back before anything is deleted or compacted; then look at the log's start with `topics check`",
}


def _count(nodes: list[int], replication: int, min_insync: int) -> tuple[Any, str, str]:
    if len(nodes) < replication:
        return problem(
            f"{len(nodes)} of at least {replication} brokers are up: topics have {replication} copies",
            "start the others; writes stop when fewer than kafka.min_insync copies are left",
        )
    if replication == 1:
        return State.OK, "every topic has a single copy", "in production: kafka.replication = 3 and kafka.min_insync = 2"
    if min_insync >= replication:
        return warning(
            f"kafka.min_insync is {min_insync} of {replication}: writes stop when one broker is away", "set it one lower"
        )
    return ok(f"{len(nodes)} brokers are up")


async def _settings_of(admin: Any, node: int) -> dict[str, str]:
    responses = await admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, str(node))])
    return {entry[0]: entry[1] for response in responses for resource in response.resources for entry in resource[4]}


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{', '.join(names[:_MOST_NAMES])}{rest}"
