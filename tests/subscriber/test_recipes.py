"""The recipes of docs/subscribers.md run as printed: in Java with the client of the local stack, with kcat, and where that is missing over its library."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from connectors.local.download.artifacts import fetch
from connectors.local.download.lockfile import locked
from connectors.local.paths import cache_home
from connectors.local.progress import ProgressLines
from connectors.local.servers import java
from tests.streams.cli.installation import append_visibly
from tests.subscriber.test_rules import row
from tests.support.webhooks.findings import finding_event, write

DOCUMENT = (Path(__file__).parents[2] / "docs/subscribers.md").read_text()
CONSUME = Path(__file__).with_name("consume.py")
LIMIT_S = 120


def recipe(name, language, prefix):
    """Return a block of the document for the topics of one test."""
    (code,) = re.findall(rf"<!-- {name} -->\n```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    return re.sub(r"(?<![\w.])(access\.(violations\.json|state))", rf"{prefix}\1", code)


@pytest.fixture
def installed(kafka, prefix):
    """A coverage row that is fresh, another tenant's that is not, an aborted event, a repeat, a gap, a closed finding and a replay."""
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1)
    asyncio.run(topics.apply(settings, only=["access.violations.json", "access.state"]))
    key, value = row(app_id="abc12345")
    asyncio.run(append_visibly(settings, [TopicRecord("access.state", key, value, [])]))
    one, three = finding_event("a", 1), finding_event("a", 3)
    replayed = finding_event("replayed", 1)
    replayed.headers.append(("ce_replayid", b"r1"))
    asyncio.run(write(settings, [finding_event("ghost", 1), finding_event("a", 2)], abort=True))
    asyncio.run(write(settings, [one, one, replayed, three, finding_event("b", 1), finding_event("b", 2, activity=3)]))
    return settings


def expected_uids():
    return finding_event("a", 1).finding, finding_event("b", 1).finding


def jdk():
    """Return a `java` that compiles what it runs: one of a JDK."""
    compiler = shutil.which("javac")
    folder = Path(compiler).resolve().parent if compiler else None
    return folder / "java" if folder and (java.major(folder / "java") or 0) >= 17 else None


def test_the_recipe_for_java_runs_as_printed_with_the_client_of_the_local_stack(installed, tmp_path):
    program = jdk()
    if program is None:
        pytest.skip("there is no JDK 17, which compiles the recipe")
    source = tmp_path / "Findings.java"
    source.write_text(recipe("java", "java", installed.topic_prefix).replace('"java-alerts"', f'"{installed.topic_prefix}java"'))
    jars = os.pathsep.join(str(jar) for jar in fetch(locked("kafka"), cache_home(), ProgressLines(sys.stderr)))
    words = [str(program), "-XX:TieredStopAtLevel=1", "-cp", jars, str(source)]
    environment = {**os.environ, "KAFKA_BOOTSTRAP": installed.bootstrap}
    a, b = expected_uids()
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        killer = threading.Timer(LIMIT_S, running.kill)
        killer.start()
        try:
            lines = [running.stdout.readline().strip() for _ in range(5)]
        finally:
            killer.cancel()
            running.kill()
    of_a, of_b = ([line for line in lines if uid in line] for uid in (a, b))
    assert [re.sub("^trust nothing, ", "", line).split(f" {a}")[0] for line in of_a] == ["page", "missing before 3", "page"]
    assert [re.sub("^trust nothing, ", "", line).split(f" {b}")[0] for line in of_b] == ["page", "stop"]


def test_the_recipe_for_java_has_ten_lines_for_the_rules():
    body = recipe("java", "java", "").partition("consumer.poll(")[2]
    assert len([line for line in body.splitlines()[1:] if line.strip(" }")]) <= 12


@pytest.mark.parametrize("program", ["librdkafka", *(["kcat"] if shutil.which("kcat") else [])])
def test_the_recipe_for_kcat_runs_as_printed(installed, program, tmp_path):
    if shutil.which("jq") is None:
        pytest.skip("there is no jq, through which the recipe reads")
    if program == "librdkafka":
        script = tmp_path / "kcat"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{CONSUME}" "$@"\n')
        script.chmod(0o755)
    old_key, old_value = row(tenant="old")
    asyncio.run(append_visibly(installed, [TopicRecord("access.state", old_key, old_value, [])]))
    shown = recipe("kcat", "bash", installed.topic_prefix)
    done = _bash(shown, installed, tmp_path)
    a, b = expected_uids()
    assert [line.split("\t")[:2] for line in done.splitlines() if a in line or b in line] == [["Fail", a]]
    assert "ghost" not in done
    assert "trust nothing" not in done
    later = _bash(shown.replace('"$(date +%s)"', f'"{int(time.time()) + 1900}"'), installed, tmp_path)
    assert later.count("trust nothing about") == 2


@pytest.mark.parametrize(
    "words", [["-P"], ["-Z"], ["-X", "isolation.leve=read_committed"], ["-X", "isolation.level=read_comitted"]]
)
def test_an_option_that_kcat_would_refuse_is_refused_over_its_library(words):
    given = ["-b", "127.0.0.1:1", "-C", "-t", "any", "-o", "beginning", "-e", "-q", *words]
    done = subprocess.run([sys.executable, str(CONSUME), *given], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode != 0
    assert words[-1].partition("=")[0] in done.stderr


def _bash(text, installed, folder):
    """Run a recipe with the programs of a folder before all others."""
    environment = {**os.environ, "KAFKA_BOOTSTRAP": installed.bootstrap, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-euc", text], env=environment, capture_output=True, text=True, check=True, timeout=LIMIT_S
    ).stdout
