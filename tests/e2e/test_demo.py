"""The demo tells its whole story on a real Kafka, and the README shows it as it is."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"\d+(\.\d+)?")


def demo(kafka, *words):
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", "demo", "--fast", *words], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=240, env={**os.environ, "KAFKA_BOOTSTRAP": kafka},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


async def topics(kafka):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        return await admin.list_topics()
    finally:
        await admin.close()


def test_the_demo_tells_its_story_to_programs_and_leaves_nothing_behind(kafka):
    lines = [json.loads(line) for line in demo(kafka, "--json").splitlines()]
    told = [line["saw"] for line in lines if "saw" in line]
    opened = [check for line in told for check in re.findall(r"violation (C\d) opened", line)]
    closed = [check for line in told for check in re.findall(r"violation (C\d) closed", line)]
    assert opened == ["C1", "C3", "C2"]
    assert closed == ["C1", "C3", "C2"]
    assert all(line["status"] == 200 for line in lines if "status" in line)
    assert not [topic for topic in asyncio.run(topics(kafka)) if topic.startswith("demo-")]


def test_the_readme_shows_the_demo_as_it_is(kafka):
    shown = re.search(r"<!-- demo -->\n```\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown is not None
    assert shape(demo(kafka)) == shape(shown[1])


def shape(text):
    """The story without its figures: times and offsets differ from run to run."""
    return [NUMBER.sub("#", line).rstrip() for line in text.split("\nTo go on:")[0].strip().splitlines()]


@pytest.mark.parametrize("broken", ["127.0.0.1:1"])
def test_a_cluster_that_does_not_answer_is_said_in_words(broken):
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", "demo", "--fast"], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=240, env={**os.environ, "KAFKA_BOOTSTRAP": broken},
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
