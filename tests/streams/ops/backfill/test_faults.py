"""What goes wrong while a simulated workspace is read: it is named, what was read is kept, and the same reading continues."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connectors.intercom.rest.refusals import ScrollTaken, TokenRejected
from connectors.kafka.settings import KafkaSettings
from schemas.errors import BadConfiguration, IntercomStreamsError, Unavailable
from streams.cli.main import root
from streams.ops.backfill import run as running
from streams.ops.backfill.journal import Backfill, backfills
from streams.ops.backfill.run import ReadingPlan, abandon, begin
from streams.ops.workspaces.states import change
from tests.streams.cli.installation import Installation
from tests.streams.ops.backfill.test_backfill import AVRO, TOPICS, configured
from tests.support.simulator.served import APP_ID, TOKEN, Served, config, simulated_intercom

CONTACTS = 700


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setattr(running, "ALIVE_MS", -1)  # a reading that failed is taken over at once
    return Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=3), tmp_path, TOPICS)


async def read(installation: Installation, intercom: Served, *objects: str) -> Backfill:
    async with intercom.client() as client:
        plan = ReadingPlan(tenant="acme", objects=objects or ("contacts", "companies"))
        return await begin(installation.kafka, AVRO, client, plan)


def all_there(installation: Installation, intercom: Served, done: Backfill) -> None:
    assert done.result == "completed"
    keys = Counter(record.key.decode() for record in installation.read("intercom.contacts"))
    assert set(keys) == {f"{APP_ID}:{each['id']}" for each in intercom.truth("contacts") if each["state"] == "active"}
    companies = {record.key.decode() for record in installation.read("intercom.companies")}
    assert companies == {f"{APP_ID}:{each['id']}" for each in intercom.truth("companies") if each["user_count"]}


REVOKED = {"paths": [{"path": "/contacts", "how": "status", "status": 401, "code": "unauthorized", "after": 2, "times": 0}]}


@pytest.mark.parametrize(
    ("faults", "kept", "expected", "words"),
    [
        (REVOKED, 300, TokenRejected, "does not accept the access token"),
        ({"scroll_taken": True}, CONTACTS, ScrollTaken, "Another client is scrolling"),
    ],
    ids=["token revoked after two pages", "scroll taken"],
)
def test_what_is_refused_in_the_middle_is_named_and_the_same_reading_continues(
    installation: Installation, faults: dict[str, Any], kept: int, expected: type[IntercomStreamsError], words: str
) -> None:
    with simulated_intercom(config(contacts=CONTACTS)) as intercom:
        intercom.fault(**faults)
        with pytest.raises(expected, match=words):
            asyncio.run(read(installation, intercom))
        assert len(installation.read("intercom.contacts")) >= kept, "what was read before is kept"
        (begun,) = asyncio.run(backfills(installation.kafka, AVRO))
        intercom.fault(paths=[], scroll_taken=False)
        done = asyncio.run(read(installation, intercom))
        assert done.id == begun
        all_there(installation, intercom, done)


def test_a_reading_that_cannot_end_is_abandoned_and_the_next_one_is_another(installation: Installation) -> None:
    with simulated_intercom(config(contacts=CONTACTS)) as intercom:
        intercom.fault(scroll_taken=True)
        with pytest.raises(ScrollTaken):
            asyncio.run(read(installation, intercom))
        ended = asyncio.run(abandon(installation.kafka, AVRO, APP_ID))
        assert (ended.result, asyncio.run(backfills(installation.kafka, AVRO))[ended.id].result) == ("abandoned", "abandoned")
        with pytest.raises(BadConfiguration, match=rf"no reading of workspace {APP_ID} is unfinished"):
            asyncio.run(abandon(installation.kafka, AVRO, APP_ID))
        intercom.fault(scroll_taken=False)
        done = asyncio.run(read(installation, intercom))
        assert done.id != ended.id
        all_there(installation, intercom, done)


def test_a_paused_workspace_is_not_read_but_for_what_is_about_access(kafka: str, prefix: str, tmp_path: Path) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=3)
    installation = Installation(settings, tmp_path, [*TOPICS, "workspaces"])
    asyncio.run(change(settings, AVRO, "pause", tenant="acme", app_id=APP_ID, actor=None, reason="a test"))
    with simulated_intercom(config(contacts=CONTACTS)) as intercom:
        with pytest.raises(BadConfiguration, match=rf"workspace {APP_ID} is paused"):
            asyncio.run(read(installation, intercom))
        assert asyncio.run(backfills(settings, AVRO)) == {}
        assert asyncio.run(read(installation, intercom, "teammates")).result == "completed"
        asyncio.run(change(settings, AVRO, "resume", tenant="acme", app_id=APP_ID, actor=None, reason=None))
        all_there(installation, intercom, asyncio.run(read(installation, intercom)))


def test_a_connection_that_is_cut_in_the_middle_of_a_page_costs_one_more_call(installation: Installation) -> None:
    with simulated_intercom(config(contacts=CONTACTS)) as intercom:
        intercom.fault(paths=[{"path": "/contacts", "how": "cut", "after": 1, "times": 2}])
        done = asyncio.run(read(installation, intercom))
        all_there(installation, intercom, done)
        assert done.progress["contacts"].repeated == 0


@pytest.mark.parametrize("away", ["kafka", "kafka and redis"])
def test_where_kafka_does_not_answer_the_command_says_so_and_redis_is_not_needed(
    away: str, tmp_path: Path, unused_tcp_port: int, request: pytest.FixtureRequest
) -> None:
    nowhere = f"127.0.0.1:{unused_tcp_port}"
    redis = f"redis://{nowhere}/0" if "redis" in away else request.getfixturevalue("redis_url")
    file = tmp_path / "installation.toml"
    with simulated_intercom(config()) as intercom:
        file.write_text(
            configured(KafkaSettings(bootstrap=nowhere), redis, intercom.url).replace(
                'access_token = "t"', f'access_token = "{TOKEN}"'
            )
        )
        result = CliRunner().invoke(root, ["backfill", "--config", str(file)])
    assert isinstance(result.exception, Unavailable)
    assert f"Kafka at {nowhere}" in str(result.exception)
    assert ("Redis does not answer" in result.output) == ("redis" in away)
    assert TOKEN not in result.output + str(result.exception)
