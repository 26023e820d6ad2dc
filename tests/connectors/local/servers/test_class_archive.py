"""The archive of the broker's classes: made once, by a real JVM, and never half."""

import os
import subprocess
from pathlib import Path

import pytest

from connectors.local.servers import java
from connectors.local.servers.class_archive import ClassArchive, class_archive


def test_what_is_made_is_used(tmp_path: Path) -> None:
    archive = ClassArchive(tmp_path / "cache" / "kafka.jsa")
    assert archive.used() == []
    with archive.made() as options:
        assert options == [f"-XX:ArchiveClassesAtExit={tmp_path}/cache/kafka.jsa.new"]
        Path(options[0].partition("=")[2]).write_bytes(b"classes")
    assert archive.used() == [f"-XX:SharedArchiveFile={tmp_path}/cache/kafka.jsa"]
    assert [each.name for each in archive.path.parent.iterdir()] == ["kafka.jsa"]


def test_what_is_broken_off_is_not_used(tmp_path: Path) -> None:
    def broken_off() -> None:
        with ClassArchive(tmp_path / "kafka.jsa").made() as options:
            Path(options[0].partition("=")[2]).write_bytes(b"half")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        broken_off()
    assert list(tmp_path.iterdir()) == []


def test_a_jvm_that_makes_none_is_not_asked_again(tmp_path: Path) -> None:
    archive = ClassArchive(tmp_path / "kafka.jsa")
    with archive.made():
        pass
    assert archive.path.exists()
    assert archive.used() == []


def test_another_runtime_or_other_jars_have_another_file(tmp_path: Path) -> None:
    program, jar = tmp_path / "java", tmp_path / "kafka.jar"
    program.write_bytes(b"java")
    jar.write_bytes(b"classes")
    first = class_archive(tmp_path, program, [jar])
    assert class_archive(tmp_path, program, [jar]) == first
    jar.write_bytes(b"other classes")
    second = class_archive(tmp_path, program, [jar])
    os.utime(program, ns=(1, 1))
    assert len({first, second, class_archive(tmp_path, program, [jar])}) == 3


def test_a_jvm_passes_over_a_file_that_is_no_archive(tmp_path: Path) -> None:
    archive = ClassArchive(tmp_path / "kafka.jsa")
    archive.path.write_bytes(b"nothing a JVM knows")
    assert subprocess.run([java.find(17), *archive.used(), "-version"], check=False, capture_output=True).returncode == 0
