"""`tail` on a real broker, as a user calls it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from base64 import b64decode

import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner, Result

from connectors.kafka.schema_registry import codec
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import apply
from connectors.local.ports import free
from schemas.cloudevents import EventContext, Origin
from schemas.codec import Avro
from schemas.errors import BadConfiguration, Unavailable
from schemas.topics import TOPICS
from streams.cli.main import root
from tests.patience import DEADLINE_S
from tests.support.config import config_text

HEADERS = EventContext(id="e1", source="/s", type="membership.changed.v1", origin=Origin.DERIVED).headers()
MEMBERSHIP = {"org": "o1", "record": "abc12345:1", "person": "p1", "company": "abc12345:7", "since": 5, "event": "e0"}
BODIES = [b'{"type":\n "a", "n": 1e400}', b"\xff\x00 no json", b""]


@pytest.fixture
def cluster(kafka: str, prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=3)


@pytest.fixture
def tail(cluster, tmp_path, monkeypatch):
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.delenv("SCHEMA_REGISTRY_URL", raising=False)
    file = tmp_path / "tail.toml"

    def run(*words: str, bootstrap: str = cluster.bootstrap) -> Result:
        kafka = {"bootstrap": bootstrap, "topic_prefix": cluster.topic_prefix}
        file.write_text(config_text(kafka=kafka, registry={"url": "${SCHEMA_REGISTRY_URL:-}"}, apps={}, tenants={}))
        return CliRunner().invoke(root, ["tail", *words, "--config", str(file)])

    return run


def lines(result: Result) -> list[dict]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


async def write(cluster: KafkaSettings, topic: str, *values: bytes | None, commit: bool = True, partition: int = 0) -> None:
    await apply(cluster, only=[topic])
    producer = AIOKafkaProducer(**cluster.client(), transactional_id=f"{cluster.topic_prefix}{topic}")
    await producer.start()
    try:
        await producer.begin_transaction()
        for value in values:
            await producer.send(cluster.topic(topic), value, b"k", partition=partition, headers=HEADERS)
        await (producer.commit_transaction() if commit else producer.abort_transaction())
    finally:
        await producer.stop()


@pytest.fixture
def bodies(cluster):
    asyncio.run(write(cluster, "intercom.contacts", *BODIES))


def test_a_line_of_json_has_everything_of_a_record(cluster, tail):
    asyncio.run(write(cluster, "memberships", Avro.local().encode("membership", MEMBERSHIP), None, partition=2))
    present, deleted = lines(tail("memberships", "--json", "--from", "beginning", "--idle-exit", "0"))
    assert {name: present[name] for name in ("topic", "partition", "offset", "key", "value")} == {
        "topic": "memberships", "partition": 2, "offset": 0, "key": "k", "value": MEMBERSHIP,
    }  # fmt: skip
    assert present["headers"] == {name: value.decode() for name, value in HEADERS}
    assert deleted["value"] is None


def test_bodies_are_there_byte_for_byte(bodies, tail):
    shown = lines(tail("intercom.contacts", "--json", "--from", "beginning", "--idle-exit", "0"))
    assert [b64decode(line["bytes"]) for line in shown] == BODIES
    assert shown[0]["value"]["type"] == "a"


def test_a_record_is_one_line_whatever_line_ends_its_texts_hold(cluster, tail):
    name = "Ines\u2028Holm\u2029\x85\x0b\x0c\x1c\x1d\x1e\r\n"
    bodies = [json.dumps({"name": name}, ensure_ascii=False).encode(), name.encode()]
    asyncio.run(write(cluster, "intercom.contacts", *bodies))
    first, second = lines(tail("intercom.contacts", "--json", "--from", "beginning", "--idle-exit", "0"))
    assert first["value"] == {"name": name}
    assert [b64decode(shown["bytes"]) for shown in (first, second)] == bodies


@pytest.mark.parametrize("offset", range(len(BODIES)))
def test_raw_is_the_bytes_and_nothing_else(bodies, tail, offset):
    assert (
        tail("intercom.contacts", "--raw", "--partition", "0", "--from", str(offset), "--limit", "1").stdout_bytes
        == BODIES[offset]
    )


def test_without_options_a_heading_and_the_body_are_shown(bodies, tail):
    shown = tail("intercom.contacts", "--from", "beginning", "--idle-exit", "0").stdout_bytes
    assert b"0:0  k  membership.changed.v1\n" + BODIES[0] in shown


def test_what_was_taken_back_is_not_shown(cluster, tail):
    asyncio.run(write(cluster, "intercom.contacts", b"1", commit=False))
    asyncio.run(write(cluster, "intercom.contacts", b"2"))
    asyncio.run(write(cluster, "intercom.contacts", b"3", commit=False))
    assert [line["value"] for line in lines(tail("intercom.contacts", "--json", "--from", "beginning", "--idle-exit", "0"))] == [
        2
    ]


def test_reading_begins_at_a_time(bodies, tail):
    assert lines(tail("intercom.contacts", "--json", "--from", "2100-01-01", "--idle-exit", "0")) == []
    assert len(lines(tail("intercom.contacts", "--json", "--from", "2020-01-01T00:00:00Z", "--idle-exit", "0"))) == len(BODIES)


def test_only_a_key_or_a_partition_is_shown_where_asked(bodies, tail):
    for words, count in ((["--key", "k"], 3), (["--key", "x"], 0), (["--partition", "0"], 3), (["--partition", "1"], 0)):
        assert len(lines(tail("intercom.contacts", "--json", "--from", "beginning", "--idle-exit", "0", *words))) == count, words


def test_by_default_only_what_comes_from_now_on_is_shown(bodies, tail):
    assert lines(tail("intercom.contacts", "--json", "--idle-exit", "0")) == []


def test_a_schema_nobody_knows_is_said_in_its_line(cluster, tail):
    asyncio.run(write(cluster, "memberships", b"\x00\x00\x00\x00\x4dx"))
    (line,) = lines(tail("memberships", "--json", "--from", "beginning", "--idle-exit", "0"))
    assert "schema id 77 is unknown" in line["error"]
    assert b64decode(line["bytes"]) == b"\x00\x00\x00\x00\x4dx"


def test_the_registry_is_asked_about_an_id_not_met_before(cluster, tail, registry_url, monkeypatch):
    avro = asyncio.run(codec(registry_url, cluster.topic_prefix, [TOPICS["memberships"]]))
    asyncio.run(write(cluster, "memberships", avro.encode("membership", MEMBERSHIP)))
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", registry_url)
    (line,) = lines(tail("memberships", "--json", "--from", "beginning", "--idle-exit", "0"))
    assert line["value"] == MEMBERSHIP


def following(cluster: KafkaSettings) -> subprocess.Popen[bytes]:
    """Start `tail` as a process on a topic that has records."""
    return subprocess.Popen(
        [sys.executable, "-m", "streams.cli", "tail", cluster.topic("intercom.contacts"), "--json", "--from", "beginning"],
        env=os.environ | {"KAFKA_BOOTSTRAP": cluster.bootstrap},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_follows_until_told_to_stop_and_that_is_no_error(bodies, cluster, number):
    with following(cluster) as process:
        assert json.loads(process.stdout.readline())["offset"] == 0
        process.send_signal(number)
        _, errors = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, errors) == (0, b"")


def test_a_reader_that_has_seen_enough_is_no_error(bodies, cluster):
    with following(cluster) as process:
        process.stdout.readline()
        process.stdout.close()
        asyncio.run(write(cluster, "intercom.contacts", *BODIES))
        errors = process.stderr.read()
        assert process.wait(60) == 0
    assert errors == b""


def test_a_topic_that_is_not_there_is_named_with_the_one_that_may_be_meant(bodies, tail):
    missing = tail("intercom.contact").exception
    assert isinstance(missing, BadConfiguration)
    assert "Did you mean intercom.contacts" in str(missing)
    assert "topics apply" in str(tail("people").exception)


def test_kafka_away_is_said(tail):
    away = tail("people", bootstrap=f"127.0.0.1:{free(set())}").exception
    assert isinstance(away, Unavailable)
    assert "does not answer" in str(away)


@pytest.mark.parametrize("words", [["--from", "yesterday"], ["--json", "--raw"], ["--partition", "3"], ["--limit", "0"]])
def test_what_makes_no_sense_is_refused(bodies, tail, words):
    assert tail("intercom.contacts", *words).exit_code == 2
