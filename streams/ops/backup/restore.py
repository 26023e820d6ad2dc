"""Restore a backup to a cluster that has nothing of it: the same records in the same order with the same times, and everybody where they stood.

Topics whose offsets are named elsewhere get the same offsets (`topics.IN_PLACE`); in others records follow each other from 0 on, and the
positions of tables and consumer groups are translated. Tables come last, with their positions, so that a restore that was cut off
leaves nothing that a worker would take for whole.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec
from aiokafka import TopicPartition

from connectors.backup.partition_writer import write_densely, write_in_place
from connectors.backup.record_file import ContentHash, StoredRecord
from connectors.backup.target_cluster import TargetCluster, target_cluster
from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import transactions
from schemas import operations
from schemas.codec import Avro
from schemas.errors import BadConfiguration, MustStop
from schemas.ids import derived
from schemas.operations import RESTORED, Operation
from schemas.topics import Topic
from streams.engine.naming import Naming
from streams.engine.tables import commit_state
from streams.engine.tables.commit_state import CommitState
from streams.ops.backup.positions import PositionTranslation
from streams.ops.backup.topics import IN_PLACE, group_of, is_changelog, is_own_group, source_of, topic_of
from streams.ops.backup.verify import VerifiedBackup
from streams.ops.journal import entry_of
from streams.ops.replay.journal import replays
from streams.ops.replay.run import abandon

OnProgress = Callable[[str, int], None]
_BATCH: Final = 2000

Translate = Callable[[str, int, int], int]
"""Takes a topic, a partition and a position of the old log; returns the position in the new one."""


class Gap(NamedTuple):
    """Offsets of a partition that its topic's retention had deleted before the agents read them: no backup has them."""

    topic: str
    partition: int
    offsets: int


class RestoreResult(NamedTuple):
    """What was restored: topics, records, consumer groups with translated positions; replays that were ended, and what was lost before."""

    topics: int
    records: int
    groups: int
    replays_ended: int
    gaps: tuple[Gap, ...]


async def restore(
    kafka: KafkaSettings, avro: Avro, backup: VerifiedBackup, *, actor: str | None, on_progress: OnProgress
) -> RestoreResult:
    """Restore a verified backup. Raises BadConfiguration where the cluster has any of it already, or lacks a schema."""
    _require_schemas(avro, backup)
    named = {name: _topic(name) for name in backup.manifest.topics}
    counts = {name: len(backup.manifest.topics[name].partitions) for name in named}
    chosen = {name: (topic, counts[name]) for name, topic in named.items()}
    async with target_cluster(kafka) as cluster:
        own = {group_of(name, kafka.topic_prefix) for name in backup.states}
        await cluster.require_empty(counts, own | {Naming(prefix=kafka.topic_prefix).group})
        await cluster.begin(chosen)
        translated = await _write_all(kafka, backup, on_progress)
        await _compare(kafka, backup, translated)
        await cluster.end(chosen)
        groups = await _commit_groups(cluster, backup, translated, kafka.topic_prefix)
    ended = 0
    if operations.TOPIC in named:
        ended = await _end_replays(kafka, avro)
        await _enter(kafka, avro, backup, actor)
    records = sum(part.records for topic in backup.manifest.topics.values() for part in topic.partitions)
    return RestoreResult(len(named), records, groups, ended, _gaps(backup))


def _require_schemas(avro: Avro, backup: VerifiedBackup) -> None:
    for name, topic in backup.manifest.topics.items():
        if unknown := [number for number in topic.schemas if not avro.knows(number)]:
            raise BadConfiguration(
                f"values of {name} name schema {unknown[0]}, which is not known here: they were written with another schema registry. "
                "Restore that registry first and name it as registry.url, or name none if the backup was taken without one."
            )


def _topic(name: str) -> Topic:
    topic = topic_of(name)
    if topic is None:
        raise BadConfiguration(
            f"the backup has a topic {name} that this release does not know: restore with the release that took it"
        )
    return topic


class _Translations:
    """Where positions of the old logs are in the new ones."""

    def __init__(self, backup: VerifiedBackup) -> None:
        wanted: dict[tuple[str, int], set[int]] = {}
        for name, states in backup.states.items():
            for number, state in states.items():
                for topic, position in state.positions.items():
                    wanted.setdefault((source_of(name, topic, backup.manifest.topics), number), set()).add(position)
        for positions in backup.manifest.groups.values():
            for topic, numbers in positions.items():
                for number, position in numbers.items():
                    wanted.setdefault((topic, number), set()).add(position)
        self._topics = backup.manifest.topics
        self._parts = {place: PositionTranslation(each) for place, each in wanted.items()}

    def observe(self, topic: str, number: int, records: Iterable[StoredRecord]) -> Iterable[StoredRecord]:
        """Return the records; positions of their partition are known once all are read."""
        part = self._parts.get((topic, number))
        return records if part is None else part.observe(records)

    def __call__(self, topic: str, number: int, position: int) -> int:
        if topic in IN_PLACE:
            return position
        part = self._parts.get((topic, number))
        try:
            return part[position] if part is not None else position
        except KeyError:  # a topic that was deleted before the backup: its reader will find nothing either way
            return position

    def state(self, changelog: str, number: int, state: CommitState) -> CommitState:
        """Return a table's positions as they are in the new logs."""
        positions = {
            topic: self(source_of(changelog, topic, self._topics), number, position)
            for topic, position in state.positions.items()
        }
        return msgspec.structs.replace(state, positions=positions)


def _gaps(backup: VerifiedBackup) -> tuple[Gap, ...]:
    """Return what tables had not read when it was deleted: a restored log begins at 0, so their positions no longer show it."""
    found = {
        Gap(topic, number, part.start - position)
        for name, states in backup.states.items()
        for number, state in states.items()
        for topic, position in [(source_of(name, plain, backup.manifest.topics), at) for plain, at in state.positions.items()]
        if topic in backup.manifest.topics
        and topic not in IN_PLACE
        and position < (part := backup.manifest.topics[topic].partitions[number]).start
    }
    return tuple(sorted(found))


async def _write_all(kafka: KafkaSettings, backup: VerifiedBackup, on_progress: OnProgress) -> _Translations:
    translated = _Translations(backup)
    names = backup.manifest.topics
    for name in sorted(names, key=lambda name: (is_changelog(name), name)):
        written = 0
        for number, part in enumerate(names[name].partitions):
            at = TopicPartition(kafka.topic(name), number)
            records = translated.observe(name, number, backup.records(name, number))
            if name in IN_PLACE:
                await write_in_place(kafka, at, records, part.end)
            else:
                await write_densely(kafka, at, _with_state(backup, translated, name, number, records))
            written += part.records
        on_progress(name, written)
    return translated


def _with_state(
    backup: VerifiedBackup, translated: _Translations, name: str, number: int, records: Iterable[StoredRecord]
) -> Iterator[StoredRecord]:
    """Yield a table's rows, and its positions in the new logs behind them; other topics' records as they are."""
    state = backup.states.get(name, {}).get(number)
    last = None
    for record in records:
        if state is not None and record.key == commit_state.KEY:
            last = record
        else:
            yield record
    if state is not None and last is not None:
        yield msgspec.structs.replace(last, value=commit_state.encode(translated.state(name, number, state)))


async def _compare(kafka: KafkaSettings, backup: VerifiedBackup, translated: _Translations) -> None:
    """Read everything back. Raises MustStop where a partition is not what was to be written."""
    for name, topic in backup.manifest.topics.items():
        found = [ContentHash() for _ in topic.partitions]
        async with open_ranges(kafka, kafka.topic(name)) as reader:
            async for batch in reader.read(await reader.bounds(), _BATCH):
                for record in batch.records:
                    found[record.partition].add(StoredRecord.of(record))
        for number, part in enumerate(topic.partitions):
            expected = part.content
            if backup.states.get(name, {}).get(number) is not None:
                hash_ = ContentHash()
                for record in _with_state(backup, translated, name, number, backup.records(name, number)):
                    hash_.add(record)
                expected = hash_.hex()
            if found[number].hex() != expected:
                raise MustStop(
                    f"partition {number} of {kafka.topic(name)} is not what was restored: another process writes to it. Stop whatever "
                    "runs there, delete the topics, and restore again."
                )


async def _commit_groups(cluster: TargetCluster, backup: VerifiedBackup, translated: _Translations, prefix: str) -> int:
    """Commit the positions of all groups. The workers' own follow from their tables, which may be ahead of what the group had."""
    manifest = backup.manifest
    positions = {group: each for group, each in manifest.groups.items() if not is_own_group(group, manifest.prefix)}
    for name, partitions in backup.states.items():
        own = positions.setdefault(group_of(name, prefix), {})
        for number, state in partitions.items():
            for topic, position in state.positions.items():
                own.setdefault(source_of(name, topic, manifest.topics), {})[number] = position
    for group, topics in positions.items():
        moved = {
            topic: {number: translated(topic, number, at) for number, at in numbers.items()}
            for topic, numbers in topics.items()
            if topic in manifest.topics
        }
        await cluster.commit(group, moved)
    return len(positions)


async def _end_replays(kafka: KafkaSettings, avro: Avro) -> int:
    """End unfinished replays: the offsets they stand at are those of the old logs."""
    unfinished = [each for each in (await replays(kafka, avro)).values() if each.result is None]
    for each in unfinished:
        await abandon(kafka, avro, each)
    return len(unfinished)


async def _enter(kafka: KafkaSettings, avro: Avro, backup: VerifiedBackup, actor: str | None) -> None:
    """Enter the restore in the journal of what operators did."""
    now = time.time_ns() // 1_000_000
    operation = Operation(
        id=derived(RESTORED, backup.manifest.hash, now),
        kind=RESTORED,
        time=now,
        actor=actor,
        details={"backup": backup.manifest.hash, "taken": str(backup.manifest.taken), "cluster": backup.manifest.cluster},
    )
    record = entry_of(avro, operation)
    async with transactions(kafka, "restore") as producer:
        await producer.append([record])
