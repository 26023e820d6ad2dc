"""The topics of access in files: of a backup, or of an export of the ledger. Needs no broker."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, cast

from connectors.backup.manifest import Manifest, read_manifest
from connectors.backup.record_file import DamagedBackup, StoredRecord, read_records
from schemas.message import Message

_AT_A_TIME: Final = 500


class FilesLog:
    """Implements `AccessLog`. Every record is verified by its hash as it is read: raises DamagedBackup at the first that differs."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    @classmethod
    def open(cls, folder: Path) -> "FilesLog":
        """Return the log of a folder. Raises BadConfiguration where it has no manifest, DamagedBackup where that was altered."""
        return cls(folder, read_manifest(folder))

    def partitions(self, topic: str) -> Sequence[int]:
        found = self.manifest.topics.get(topic)
        return range(len(found.partitions)) if found else ()

    async def read(self, topic: str, partition: int) -> AsyncIterator[Sequence[Message]]:
        records = self.records(topic, partition)
        while batch := list(islice(records, _AT_A_TIME)):
            yield cast("Sequence[Message]", batch)  # a header may be null, which no reader here looks at

    def records(self, topic: str, partition: int) -> Iterator[StoredRecord]:
        """Yield the records of a partition."""
        part = self.manifest.topics[topic].partitions[partition]
        path = (self.folder / part.file).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise DamagedBackup(f"the manifest of {self.folder} names a file outside of it; it was not written by this product")
        return read_records(path, topic, partition, records=part.records, head=part.head, file_sha256=part.sha256)

    def settled(self, topic: str) -> Mapping[int, int]:
        return {}
