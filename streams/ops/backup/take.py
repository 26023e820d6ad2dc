"""Take a backup of an installation, also while it works.

Positions are looked up first, then where tables end, then where all other topics end. So what was taken may hold results that its tables do
not know yet, and never lacks one that they count as done: after a restore these results are made again, with the same ids.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, NamedTuple

from connectors.backup.manifest import BackedUpTopic, Manifest, PartitionFile, write_manifest
from connectors.backup.record_file import RecordFileWriter, StoredRecord
from connectors.backup.source_cluster import Ranges, source_cluster
from connectors.kafka import topics
from connectors.kafka.ranges import OffsetRange, open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.codec import framing_id
from schemas.errors import BadConfiguration, InvalidRecord
from schemas.topics import Encoding, Topic
from streams.ops.backup.topics import backed_up, is_changelog
from streams.ops.ledger.access_log import LEDGER

_BATCH: Final = 2000

OnProgress = Callable[[str, int], None]
"""Takes the topic and how many of its records are written."""


class _Cut(NamedTuple):
    """What is taken: offsets by topic and partition, and positions of groups."""

    cluster: str
    ranges: Ranges
    groups: dict[str, dict[str, dict[int, int]]]


async def take(kafka: KafkaSettings, folder: Path, on_progress: OnProgress) -> Manifest:
    """Write a backup into a folder that is new or empty, and return its manifest.

    Raises BadConfiguration where there is nothing to take or the folder is in use, MissingRecords where retention was faster.
    """
    chosen = backed_up(await topics.present(kafka), kafka.topic_prefix)
    if not chosen:
        raise BadConfiguration(
            f"the cluster at {kafka.bootstrap} has no topic of this installation (kafka.topic_prefix is {kafka.topic_prefix!r})"
        )
    _prepare(folder)
    cut = await _cut(kafka, chosen)
    taken = {name: await _take_topic(kafka, folder, topic, cut.ranges[name], on_progress) for name, topic in chosen.items()}
    manifest = Manifest(
        product=_product(),
        taken=time.time_ns() // 1_000_000,
        cluster=cut.cluster,
        prefix=kafka.topic_prefix,
        topics=taken,
        groups=cut.groups,
    )
    with _writing(folder):
        return write_manifest(folder, manifest)


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # a backup has all personal data of its topics
        if any(folder.iterdir()):
            raise BadConfiguration(f"{folder} is not empty; name a new folder for each backup")
    except OSError as error:
        raise BadConfiguration(f"{folder} cannot be used: {error.strerror}") from None


async def _cut(kafka: KafkaSettings, chosen: dict[str, Topic]) -> _Cut:
    async with source_cluster(kafka) as cluster:
        groups = await cluster.groups(chosen)
        tables = await cluster.ranges([name for name in chosen if is_changelog(name)])
        ledger = await cluster.ranges([name for name in chosen if name == LEDGER])  # before what it names
        others = await cluster.ranges([name for name in chosen if name not in tables | ledger])
        return _Cut(await cluster.cluster_id(), tables | ledger | others, groups)


async def _take_topic(
    kafka: KafkaSettings, folder: Path, topic: Topic, ranges: dict[int, OffsetRange], on_progress: OnProgress
) -> BackedUpTopic:
    with _writing(folder):
        (folder / topic.name).mkdir(mode=0o700)
        files = {number: (folder / topic.name / f"{number}.records").open("xb") for number in ranges}
    writers = {number: RecordFileWriter(file, topic.name, number) for number, file in files.items()}
    ids = set[int]()
    try:
        async with open_ranges(kafka, kafka.topic(topic.name)) as reader:
            async for batch in reader.read(ranges, _BATCH):
                for record in batch.records:
                    with _writing(folder):  # here: the reader takes an error of the disk for one of Kafka's
                        writers[record.partition].append(StoredRecord.of(record))
                    if topic.encoding is Encoding.AVRO and record.value is not None:
                        ids.add(_schema_id(record.value))
                on_progress(topic.name, sum(writer.records for writer in writers.values()))
        with _writing(folder):
            for writer in writers.values():
                writer.close()
    finally:
        for file in files.values():
            with suppress(OSError):  # what a file could not take was raised before
                file.close()
    partitions = [
        PartitionFile.of(writer, f"{topic.name}/{number}.records", ranges[number].start, ranges[number].end)
        for number, writer in sorted(writers.items())
    ]
    return BackedUpTopic(partitions=tuple(partitions), schemas=tuple(sorted(ids - {_NO_SCHEMA})))


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Raise BadConfiguration where the folder cannot be written."""
    try:
        yield
    except FileExistsError:
        raise BadConfiguration(f"another backup is written to {folder} meanwhile; name a new folder for each") from None
    except OSError as error:
        raise BadConfiguration(
            f"{folder} cannot be written: {error.strerror}. Remove it, and take the backup elsewhere."
        ) from None


_NO_SCHEMA: Final = -1


def _schema_id(value: bytes) -> int:
    """Return the id of a value's schema; a public input topic may hold bytes without one, and they are taken as they are."""
    try:
        return framing_id(value)
    except InvalidRecord:
        return _NO_SCHEMA


def _product() -> str:
    try:
        return version("intercom-streams")
    except PackageNotFoundError:  # run from its sources
        return "unreleased"
