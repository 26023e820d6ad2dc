"""Manifests of this release and of the one before are read, and none that lacks what its format has."""

from pathlib import Path

import msgspec
import pytest

from connectors.backup.manifest import FORMAT, BackedUpTopic, Manifest, PartitionFile, read_manifest, write_manifest
from connectors.backup.record_file import DamagedBackup, RecordFileWriter, StoredRecord
from schemas.errors import BadConfiguration


def written(folder: Path, *, format_: int = FORMAT, sha256: str | None = None) -> Manifest:
    with (folder / "0.records").open("wb") as file:
        writer = RecordFileWriter(file, "people", 0)
        writer.append(StoredRecord(0, 1, b"k", b"v", ()))
        writer.close()
    part = PartitionFile.of(writer, "0.records", 0, 1)
    part = part if sha256 is None else msgspec.structs.replace(part, sha256=sha256)
    topics = {"people": BackedUpTopic(partitions=(part,))}
    return write_manifest(folder, Manifest(format=format_, product="1", taken=0, cluster="", prefix="", topics=topics, groups={}))


def test_a_manifest_says_of_each_file_how_large_it_is_and_which_digest_it_has(tmp_path: Path):
    manifest = written(tmp_path)
    assert read_manifest(tmp_path) == manifest
    [part] = manifest.topics["people"].partitions
    assert (part.bytes, len(part.sha256)) == ((tmp_path / "0.records").stat().st_size, 64)


def test_a_manifest_of_the_first_format_has_no_digests_of_files(tmp_path: Path):
    manifest = written(tmp_path, format_=1, sha256="")
    assert b"sha256" not in (tmp_path / "manifest.json").read_bytes()
    assert read_manifest(tmp_path) == manifest


def test_a_manifest_of_this_format_without_the_digest_of_a_file_was_altered(tmp_path: Path):
    written(tmp_path, sha256="")
    with pytest.raises(DamagedBackup, match="lacks the digest of a file"):
        read_manifest(tmp_path)


def test_a_manifest_of_a_later_format_is_for_a_later_release(tmp_path: Path):
    written(tmp_path, format_=FORMAT + 1)
    with pytest.raises(BadConfiguration, match="use the release that wrote it"):
        read_manifest(tmp_path)
