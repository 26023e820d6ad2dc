"""Only files with the locked sum are ever returned."""

import errno
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.local.download.artifacts import ArtifactSource, fetch
from connectors.local.download.lockfile import Artifact
from connectors.local.progress import NoProgress
from schemas.errors import Unavailable

CONTENT = b"the jar"
JAR = Artifact("kafka", "org.example", "thing", "1.0", "", "jar", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


def delivering(content: bytes) -> ArtifactSource:
    """A registry that delivers these bytes for every artifact."""

    def source(incoming: Path, on_bytes: Callable[[int], None]) -> Callable[[Artifact], Path]:
        def download(artifact: Artifact) -> Path:
            file = incoming / artifact.filename
            file.write_bytes(content)
            on_bytes(len(content))
            return file

        return download

    return source


def unreachable(incoming: Path, on_bytes: Callable[[int], None]) -> Callable[[Artifact], Path]:
    def download(artifact: Artifact) -> Path:
        raise AssertionError("the network was used")

    return download


def full(incoming: Path, on_bytes: Callable[[int], None]) -> Callable[[Artifact], Path]:
    def download(artifact: Artifact) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return download


def test_a_missing_file_is_downloaded_once_and_then_found_without_network(tmp_path: Path) -> None:
    (first,) = fetch((JAR,), tmp_path, NoProgress(), delivering(CONTENT))
    assert first.read_bytes() == CONTENT
    assert fetch((JAR,), tmp_path, NoProgress(), unreachable) == (first,)
    assert [entry.name for entry in tmp_path.iterdir()] == ["artifacts"]


def test_a_file_damaged_in_the_cache_is_replaced(tmp_path: Path) -> None:
    (file,) = fetch((JAR,), tmp_path, NoProgress(), delivering(CONTENT))
    file.write_bytes(CONTENT[:-1])
    assert fetch((JAR,), tmp_path, NoProgress(), delivering(CONTENT)) == (file,)
    assert file.read_bytes() == CONTENT


def test_a_download_with_another_sum_is_refused_and_deleted(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"thing-1\.0\.jar arrived with another SHA-256"):
        fetch((JAR,), tmp_path, NoProgress(), delivering(b"something else"))
    assert [entry for entry in tmp_path.rglob("*") if entry.is_file()] == []


def test_a_full_disk_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="is full"):
        fetch((JAR,), tmp_path, NoProgress(), full)


def test_what_a_killed_download_left_is_swept_after_a_day(tmp_path: Path) -> None:
    fresh, old = tmp_path / "incoming-a", tmp_path / "incoming-b"
    for folder in (fresh, old):
        folder.mkdir()
        (folder / "half.jar").write_bytes(b"h")
    yesterday = time.time() - 2 * 86_400
    os.utime(old, (yesterday, yesterday))
    fetch((JAR,), tmp_path, NoProgress(), delivering(CONTENT))
    assert fresh.exists()
    assert not old.exists()


def test_without_a_network_the_error_says_what_to_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(Unavailable, match=r"does not answer \(ProxyError\).*HTTPS_PROXY"):
        fetch((JAR,), tmp_path, NoProgress())
