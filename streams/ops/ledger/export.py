"""Write a tenant's ledger into files that prove themselves, with its head; it is verified on the way.

The files are those of a backup (`connectors/backup`), with the tenant's records alone. `schemas.json` has the schemas that values name, so
that they can be read without the installation's registry.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from connectors.backup.manifest import BackedUpTopic, Manifest, PartitionFile, write_manifest
from connectors.backup.record_file import RecordFileWriter, StoredRecord
from connectors.kafka.settings import KafkaSettings
from connectors.signatures.ed25519 import SigningKey
from schemas.canonical import digest
from schemas.catalogue import Schema
from schemas.codec import Avro, framing_id
from schemas.errors import BadConfiguration, InvalidRecord
from schemas.json_lines import json_line
from schemas.message import Message
from streams.ops.ledger.access_log import FACTS, FINDINGS, LEDGER
from streams.ops.ledger.head import LedgerHead, signed, write_head
from streams.ops.ledger.kafka_log import KafkaLog, kafka_log
from streams.ops.ledger.merge import OnProgress, merged
from streams.ops.ledger.verify import LedgerSummary, LedgerVerifier

HEAD: Final = "head.json"
SCHEMAS: Final = "schemas.json"
_SHOWN_EVERY: Final = 5_000


async def export(
    kafka: KafkaSettings, avro: Avro, folder: Path, tenant: str, *, key: SigningKey | None, on_progress: OnProgress
) -> tuple[LedgerHead, LedgerSummary]:
    """Write facts, findings and ledger of a tenant into a folder that is new or empty; return the head and what was verified.

    Raises LedgerBroken where the ledger does not hold, BadConfiguration where there is none or the folder is in use.
    """
    _prepare(folder)
    verifier = LedgerVerifier(avro, tenant=tenant)
    async with kafka_log(kafka, (FACTS, FINDINGS), tenant=tenant) as log:
        with _files(folder, log) as files:
            entries = 0
            async for topic, number, record in merged(log):
                if _is_of(tenant, topic, record):
                    _add(verifier, log, topic, number, record)
                    files.append(topic, number, record)
                    entries += topic == LEDGER
                    if topic == LEDGER and entries % _SHOWN_EVERY == 0:
                        on_progress(LEDGER, entries)
            summary = verifier.summary()
            schemas = _write_schemas(folder / SCHEMAS, avro, files.ids)
            taken = files.close()
        manifest = write_manifest(
            folder,
            Manifest(product=_product(), taken=_now(), cluster=log.cluster, prefix=kafka.topic_prefix, topics=taken, groups={}),
        )
    head = _head(summary, tenant, log, key, (manifest.hash, schemas))
    write_head(folder / HEAD, head)
    return head, summary


async def current_head(kafka: KafkaSettings, avro: Avro, tenant: str, *, key: SigningKey | None) -> LedgerHead:
    """Return the head of a tenant's ledger as it is now; its chain is verified, what it names is not."""
    verifier = LedgerVerifier(avro, tenant=tenant)
    async with kafka_log(kafka, (), tenant=tenant) as log:
        async for _, _, record in merged(log):
            verifier.add_entry(record)
    return _head(verifier.chains(), tenant, log, key, ("", ""))


def codec_of(folder: Path) -> Avro:
    """Return a codec for the files of a folder: that of this release, and the schemas that the folder has."""
    avro = Avro.local()
    path = folder / SCHEMAS
    if path.exists():
        try:
            found = msgspec.json.decode(path.read_bytes(), type=dict[int, tuple[str, dict[str, Any]]])
            for number, (name, definition) in found.items():
                avro.add(number, Schema(name, 0, definition))
        except (OSError, msgspec.DecodeError, InvalidRecord) as error:
            raise BadConfiguration(f"{path} cannot be read ({type(error).__name__}): it was cut off or altered") from None
    return avro


class _ExportFiles:
    """A file for each partition of each topic."""

    def __init__(self, files: dict[tuple[str, int], BinaryIO], log: KafkaLog) -> None:
        self._writers = {(topic, number): RecordFileWriter(file, topic, number) for (topic, number), file in files.items()}
        self._log = log
        self.ids: dict[str, set[int]] = {}

    def append(self, topic: str, number: int, record: Message) -> None:
        self._writers[topic, number].append(StoredRecord.of(record))
        with suppress(InvalidRecord):  # a fact that nobody can understand is exported as it is
            self.ids.setdefault(topic, set()).add(framing_id(record.value or b""))

    def close(self) -> dict[str, BackedUpTopic]:
        """Write all to the disk, and return what the manifest says of it."""
        found: dict[str, list[PartitionFile]] = {}
        for (topic, number), writer in sorted(self._writers.items()):
            writer.close()
            name = f"{topic}/{number}.records"
            start, end = self._log.ranges[topic].get(number, (0, 0))
            found.setdefault(topic, []).append(PartitionFile.of(writer, name, start, end))
        return {
            topic: BackedUpTopic(partitions=tuple(parts), schemas=tuple(sorted(self.ids.get(topic, ()))))
            for topic, parts in found.items()
        }


@contextmanager
def _files(folder: Path, log: KafkaLog) -> Iterator[_ExportFiles]:
    opened: dict[tuple[str, int], BinaryIO] = {}
    try:
        for topic in (FACTS, FINDINGS, LEDGER):
            (folder / topic).mkdir(mode=0o700)
            for number in range(log.counts[topic]):
                opened[topic, number] = (folder / topic / f"{number}.records").open("xb")
        yield _ExportFiles(opened, log)
    except OSError as error:
        raise BadConfiguration(f"{folder} cannot be written: {error.strerror}. Remove it, and export elsewhere.") from None
    finally:
        for file in opened.values():
            file.close()


def _add(verifier: LedgerVerifier, log: KafkaLog, topic: str, number: int, record: Message) -> None:
    if topic == FACTS:
        verifier.add_fact(number, record)
    elif topic == FINDINGS:
        verifier.add_finding(number, record, settled=record.offset < log.settled(FINDINGS).get(number, 0))
    else:
        verifier.add_entry(record)


def _is_of(tenant: str, topic: str, record: Message) -> bool:
    separator = ":" if topic == FINDINGS else "|"
    return (record.key or b"").partition(separator.encode())[0] == tenant.encode()


def _head(summary: LedgerSummary, tenant: str, log: KafkaLog, key: SigningKey | None, files: tuple[str, str]) -> LedgerHead:
    if tenant not in summary.tenants:
        raise BadConfiguration(f"the ledger has no entry of tenant {tenant}: no fact of it was processed yet")
    entries, hash_ = summary.tenants[tenant]
    last = summary.last[tenant]
    head = LedgerHead(
        tenant=tenant, entries=entries, hash=hash_, partition=last.partition, offset=last.offset, log_time=last.log_time, taken=_now(),
        cluster=log.cluster, product=_product(), files=files[0], schemas=files[1],
    )  # fmt: skip
    return signed(head, key) if key is not None else head


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # facts and findings name people
        if any(folder.iterdir()):
            raise BadConfiguration(f"{folder} is not empty; name a new folder for each export")
    except OSError as error:
        raise BadConfiguration(f"{folder} cannot be used: {error.strerror}") from None


def _write_schemas(path: Path, avro: Avro, ids: dict[str, set[int]]) -> str:
    """Write the schemas that values name, and return the hash of the file."""
    numbers = sorted({number for each in ids.values() for number in each if avro.knows(number)})
    found = {number: (schema.name, schema.definition) for number in numbers for schema in [avro.schema(number)]}
    data = msgspec.json.format(json_line(found)) + b"\n"
    path.write_bytes(data)
    return digest(data)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _product() -> str:
    try:
        return version("intercom-streams")
    except PackageNotFoundError:  # run from its sources
        return "unreleased"
