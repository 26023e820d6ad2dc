"""The committed lock is complete and names no host."""

import re
from pathlib import Path

import pytest

from connectors.local.download import update_lockfile
from connectors.local.download.lockfile import LOCK, locked


def test_kafka_is_its_45_jars_and_one_logging_binding() -> None:
    kafka = locked("kafka")
    assert len(kafka) == 46
    assert {artifact.version for artifact in kafka if artifact.name == "kafka_2.13"} == {update_lockfile.KAFKA}
    assert {artifact.version for artifact in kafka if artifact.group == "org.apache.logging.log4j"} == {update_lockfile.LOG4J}


def test_the_registry_is_one_archive() -> None:
    (archive,) = locked("registry")
    assert archive.filename == f"apicurio-registry-app-{update_lockfile.APICURIO}-all.tar.gz"


def test_every_file_has_a_name_of_its_own_so_that_one_folder_holds_them() -> None:
    names = [artifact.filename for part in ("kafka", "registry") for artifact in locked(part)]
    assert len(set(names)) == len(names)


def test_every_line_has_a_whole_sum_and_no_address() -> None:
    text = LOCK.read_text()
    assert "://" not in text
    assert re.findall(r"^(?!#)(?!\S+ \S+ [0-9a-f]{64} [1-9]\d*$).+$", text, re.MULTILINE) == []


def test_a_classifier_is_part_of_the_filename(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text(f"# comment\n\na g:n:1:all:zip {'0' * 64} 7\nb g:other:1::jar {'0' * 64} 7\n")
    (artifact,) = locked("a", lock)
    assert (artifact.filename, artifact.size) == ("n-1-all.zip", 7)


def test_a_broken_line_is_an_error_and_not_skipped(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("a g:n:1:all:zip\n")
    with pytest.raises(ValueError, match="not enough values"):
        locked("a", lock)
