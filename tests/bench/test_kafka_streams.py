"""The rival in Java: it does the same work as the others, where there is a JDK, and is left out where there is none."""

import os
import subprocess
import sys

import msgspec
import pytest

from bench.engine import benchmark
from bench.engine.kafka_streams import program
from bench.engine.kafka_streams.program import LOCK, PART, jdk
from bench.engine.rivals import RIVALS
from connectors.local.download.lockfile import locked
from connectors.local.download.update_lockfile import KAFKA
from schemas.errors import Unavailable

NAMES = ("kafka_streams", "kafka_streams_on_disk")


@pytest.fixture(autouse=True)
def _fresh_search():
    jdk.cache_clear()
    yield
    jdk.cache_clear()


def executable(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def java(home, version):
    executable(home / "bin" / "java", f"echo 'openjdk version \"{version}\"' >&2")


def test_a_jdk_is_found_in_java_home_only_with_its_compiler_and_if_it_is_new_enough(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java(tmp_path, "21.0.1")
    assert jdk() is None
    executable(tmp_path / "bin" / "javac", "")
    jdk.cache_clear()
    assert jdk() == tmp_path / "bin"
    java(tmp_path, "11.0.2")
    jdk.cache_clear()
    assert jdk() is None


def test_without_a_jdk_the_rival_is_left_out_and_the_report_names_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert not RIVALS["kafka_streams"].installed
    names = benchmark._runnable(("ours", *NAMES))
    assert names == ("ours",)
    assert "not there: kafka_streams, kafka_streams_on_disk" in benchmark._notes(("ours", *NAMES), names)[-1]


def test_without_its_jars_the_rival_is_left_out_and_the_reason_printed(monkeypatch, capsys):
    def unavailable():
        raise Unavailable("the registry does not answer")

    monkeypatch.setattr(benchmark, "compiled", unavailable)
    monkeypatch.setattr("bench.engine.rivals.jdk", lambda: "somewhere")
    assert benchmark._runnable(("ours", *NAMES)) == ("ours",)
    assert "does not answer" in capsys.readouterr().err


def test_the_jars_are_of_the_brokers_version_and_those_that_the_broker_has_too_are_the_same():
    jars = {artifact.name: artifact for artifact in locked(PART, LOCK)}
    assert jars["kafka-streams"].version == KAFKA
    assert "rocksdbjni" in jars
    broker = {artifact.name: artifact.sha256 for artifact in locked("kafka")}
    assert {name: jar.sha256 for name, jar in jars.items() if name in broker}.items() <= broker.items()


def test_a_program_that_does_not_compile_is_an_error_that_shows_the_compilers(tmp_path, monkeypatch):
    monkeypatch.setattr(program, "jdk", lambda: tmp_path)
    monkeypatch.setattr(program, "_jars", lambda: "")
    monkeypatch.setattr(program, "cache_home", lambda: tmp_path)
    executable(tmp_path / "javac", "echo 'Counts.java:1: error: wrong' >&2; exit 1")
    with pytest.raises(program.MustStop, match="error: wrong"):
        program.compiled()


@pytest.mark.skipif(jdk() is None, reason="there is no JDK on this machine")
def test_it_counts_as_ours_does_on_a_real_kafka(kafka):
    only = [part for name in NAMES for part in ("--only", name)]
    done = subprocess.run(
        [sys.executable, "-m", "bench", "engine", "--quick", "--json", *only],
        capture_output=True, text=True, timeout=240, env={**os.environ, "KAFKA_BOOTSTRAP": kafka}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    report = msgspec.json.decode(done.stdout.splitlines()[-1])
    assert report["checks"] == {
        f"{name}: {check}": True
        for name in NAMES
        for check in ("every event gave exactly one output", "its table equals what the input alone says")
    }
