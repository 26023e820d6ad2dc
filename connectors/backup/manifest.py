"""What a backup consists of. It is written last, so a folder without a manifest is a backup that did not end."""

import os
from pathlib import Path
from typing import Final

import msgspec

from connectors.backup.record_file import DamagedBackup, RecordFileWriter
from schemas.canonical import canonical, digest
from schemas.errors import BadConfiguration

FORMAT: Final = 2
_READ: Final = (1, FORMAT)  # 1 has no digests of files
_NAME: Final = "manifest.json"


class PartitionFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The file of one partition: offsets `start` to `end` of its log (exclusive), how many records, and the last one's hash.

    `content` is the hash of the records without their offsets, which a restored topic has too. `sha256` is the digest of the file's bytes.
    """

    file: str
    start: int
    end: int
    records: int
    bytes: int
    head: str
    content: str
    sha256: str = ""

    @classmethod
    def of(cls, writer: RecordFileWriter, file: str, start: int, end: int) -> "PartitionFile":
        """Return what the manifest says of a file that was written and closed."""
        return cls(
            file=file, start=start, end=end, records=writer.records, bytes=writer.bytes, head=writer.head.hex(),
            content=writer.content.hex(), sha256=writer.sha256,
        )  # fmt: skip


class BackedUpTopic(msgspec.Struct, frozen=True, kw_only=True):
    """A topic (name without prefix), its partitions in order, and the ids of the schemas that its values name."""

    partitions: tuple[PartitionFile, ...]
    schemas: tuple[int, ...] = ()


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A whole backup. `groups` are positions of consumer groups by group (with prefix), topic (without) and partition."""

    format: int = FORMAT
    product: str
    taken: int
    cluster: str
    prefix: str
    topics: dict[str, BackedUpTopic]
    groups: dict[str, dict[str, dict[int, int]]]
    hash: str = ""


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Close a manifest with its hash, write it so that it is there whole or not at all, and return it."""
    manifest = msgspec.structs.replace(manifest, hash=_hash(manifest))
    part = folder / f"{_NAME}.part"
    with part.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest)))
        file.flush()
        os.fsync(file.fileno())
    part.rename(folder / _NAME)
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup. Raises BadConfiguration where there is none, DamagedBackup where it was altered."""
    path = folder / _NAME
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        if not folder.exists():
            raise BadConfiguration(f"there is no folder {folder}") from None
        raise BadConfiguration(
            f"{folder} has no {_NAME}: it is not a backup, or one that did not end. Take another; its files are of no use alone."
        ) from None
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be read: {error.strerror}") from None
    except msgspec.DecodeError:
        raise DamagedBackup(f"{path} is not a manifest: it was cut off or altered") from None
    if manifest.format not in _READ:
        raise BadConfiguration(
            f"{path} has format {manifest.format}, and this release reads up to {FORMAT}: use the release that wrote it"
        )
    if manifest.hash != _hash(manifest):
        raise DamagedBackup(f"{path} was altered: it does not have the hash that closes it")
    if manifest.format == FORMAT and not all(part.sha256 for topic in manifest.topics.values() for part in topic.partitions):
        raise DamagedBackup(f"{path} was altered: it lacks the digest of a file")
    return manifest


def _hash(manifest: Manifest) -> str:
    return digest(canonical(msgspec.to_builtins(msgspec.structs.replace(manifest, hash=""), str_keys=True)))
