"""`status` on a real broker: flows, lag, delays, answers and what waits, once and live."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.access.findings import CheckState
from schemas.cloudevents import EventContext, Origin
from schemas.codec import Avro
from schemas.dead_letters import dead_letter
from schemas.message import RecordValue
from schemas.plain_values import plain
from schemas.topics import TOPICS
from tests.streams.cli.installation import Installation

AVRO = Avro.local()


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path) -> Installation:
    return Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1), tmp_path, list(TOPICS))


def event(topic: str, number: int, cause: int | None = None) -> TopicRecord:
    context = EventContext(
        id=f"{topic} {number}",
        source="/x",
        type="x",
        origin=Origin.DERIVED,
        causation_id=None if cause is None else f"{_CAUSE[topic]} {cause}",
    )
    return TopicRecord(topic, b"k", b"{}", context.headers())


_CAUSE = {"people.changes": "intercom.contacts", "access.facts": "intercom.admins", "access.violations": "access.facts"}


def state(check: str, account: str, result: str, finding: str | None = None) -> TopicRecord:
    row = CheckState(
        tenant="acme",
        check=check,
        app_id="a",
        account=account,
        result=result,
        reason="r",
        since=0,
        rule_version="1",
        finding=finding,
    )
    return TopicRecord("access.state", f"acme|{check}|a|{account}|".encode(), AVRO.encode("check_state", plain(row)), [])


def test_what_is_on_the_topics_is_counted(installation: Installation):
    letter = dead_letter("intercom.contacts", 0, RecordValue(b"k", b"x", (), 1, 1), "the body is cut off", "contacts")
    installation.append(
        state("C1", "1", "FAIL", "f1"), state("C1", "2", "PASS"), state("C2", "1", "UNKNOWN"), state("coverage", "", "PASS"),
        TopicRecord("dead.letters", letter.key, letter.value, letter.headers),
        *(event("intercom.contacts", number) for number in range(10)),
    )  # fmt: skip
    installation.append(state("C1", "3", "FAIL", "f2"), TopicRecord("access.state", b"acme|C1|a|3|", None, []))
    (found,) = installation.printed("status", "--every", "0.2")
    assert found["checks"] == [
        {"check": "C1", "results": {"FAIL": 1, "PASS": 1}, "open": 1},
        {"check": "C2", "results": {"UNKNOWN": 1}, "open": 0},
    ]
    by_topic = {row["topic"]: row for row in found["topics"]}
    assert by_topic["intercom.contacts"]["lag"] == by_topic["intercom.contacts"]["size"] == 11  # the marker has an offset too
    assert by_topic["people"]["lag"] is None
    assert found["dead_letters"] == 1
    text = installation.types("status", "--once", "--every", "0.2").output
    assert "1 FAIL, 1 PASS" in text
    assert "1 dead letters wait" in text


def test_delays_are_those_from_a_post_to_its_last_effect(installation: Installation):
    installation.append(*(event("intercom.contacts", number) for number in range(6)), event("intercom.admins", 0))
    installation.append(*(event("people.changes", number, number) for number in range(6)))
    (found,) = installation.printed("status", "--every", "0.2")
    (delay,) = found["delays"]
    assert (delay["what"], delay["events"]) == ("post to profile", 6)
    assert 0 <= delay["p50"] <= delay["p99"]
    installation.append(*(event("access.facts", number, 0) for number in range(6)))
    installation.append(*(event("access.violations", number, number) for number in range(6)))
    (found,) = installation.printed("status", "--every", "0.2")
    assert [each["what"] for each in found["delays"]] == ["post to profile", "post to violation"]


def test_an_empty_installation_has_a_status(installation: Installation):
    text = installation.types("status", "--once", "--every", "0.2").output
    assert "no dead letters wait" in text


@pytest.mark.asyncio
async def test_it_is_live_until_ctrl_c(kafka: str, prefix: str, tmp_path: Path) -> None:
    installation = await asyncio.to_thread(
        Installation, KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1), tmp_path, list(topics.TOPICS)
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams.cli", "status", "--every", "0.2", "--config", str(installation.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, "KAFKA_BOOTSTRAP": "", "TERM": "dumb"},
    )  # fmt: skip
    assert process.stdout is not None
    await process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
