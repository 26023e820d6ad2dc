"""The demo shows its whole story on a real Kafka, and the README shows the same story."""

import asyncio
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from streams.demo.output import TextStory

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"\d+(\.\d+)?")


@pytest.fixture(scope="module")
def story(kafka):
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", "demo", "--json"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=280,
        env={**os.environ, "KAFKA_BOOTSTRAP": kafka},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


async def topics(kafka):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        return await admin.list_topics()
    finally:
        await admin.close()


def test_each_violation_opens_and_closes_in_its_turn(story):
    observations = [line["saw"] for line in story if "saw" in line]
    assert [check for line in observations for check in re.findall(r"violation (C\d) opened", line)] == ["C1", "C3", "C1", "C2"]
    assert [check for line in observations for check in re.findall(r"violation (C\d) closed", line)] == ["C1", "C3", "C2"]
    assert all(line["status"] == 200 for line in story if "status" in line)


def test_the_leavers_finding_is_due_then_exempt_and_fails_once_the_exemption_ends(story):
    observations = [line["saw"] for line in story if "saw" in line]
    shown = [word for line in observations for word in re.findall(r"\b(?:DUE|EXEMPT|FAIL|deadline)\b", line)]
    assert shown == ["DUE", "EXEMPT", "deadline", "FAIL"]
    assert any(line["did"].startswith("intercom-streams exempt grant C2 ") for line in story if "did" in line)


def test_a_borrowed_cluster_is_left_as_it_was(story, kafka):
    assert story
    assert not [topic for topic in asyncio.run(topics(kafka)) if topic.startswith("demo-")]


def test_the_readme_shows_the_demo_as_it_is(story):
    shown = re.search(r"<!-- demo -->\n```\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown is not None
    assert without_figures(text_of(story)) == without_figures(shown[1].split("All of it happened")[0])


def text_of(lines):
    """Return the same story as text for people."""
    stream = io.StringIO()
    output = TextStory(stream)
    write = {"chapter": output.start_chapter, "did": output.show_action, "saw": output.show_observation}
    for line in lines:
        name = next(iter(line))
        write[name](line.pop(name), **line)
    return stream.getvalue()


def without_figures(text):
    """Return the lines without their figures: times and offsets differ from run to run."""
    return [NUMBER.sub("#", line).rstrip() for line in text.strip().splitlines()]


def test_a_cluster_that_does_not_answer_is_said_in_words():
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", "demo"], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=240, env={**os.environ, "KAFKA_BOOTSTRAP": "127.0.0.1:1"},
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "Kafka at 127.0.0.1:1 does not answer" in done.stderr
