"""`replay` on a real broker, as an operator calls it: what is selected, sent, left out, refused and continued."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from connectors.kafka import topics
from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.codec import Avro
from schemas.errors import BadConfiguration, MissingRecords
from schemas.message import Message, header
from schemas.operations import REPLAY_ENDED, REPLAY_PROGRESSED, REPLAY_STARTED
from streams.ops.replay import run as running
from streams.ops.replay.journal import Replay, replays
from streams.ops.replay.run import Pace, Watcher
from streams.ops.replay.selection import ReplaySelection
from streams.ops.replay.start import ReplayLimits, begin, resume
from tests.streams.cli.installation import Installation

AVRO = Avro.local()
CONTACTS, OTHER_CLUSTERS_TOPIC = "intercom.contacts", "crm.people"
UNHURRIED = ReplayLimits(max_lag=1 << 40)  # no worker runs in these tests, so none is waited for


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path) -> Installation:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=3)
    return Installation(settings, tmp_path, [CONTACTS, "people", "access.facts", "operations"])


def post(number: int, app_id: str = "abc12345", type_: str = "contact.user.updated", topic: str = CONTACTS) -> TopicRecord:
    headers = [("ce_id", b"e%d" % number), ("ce_type", f"intercom.{type_}".encode()), ("ce_origin", b"webhook")]
    return TopicRecord(topic, f"{app_id}:{number}".encode(), b"body %d" % number, headers)


def reprocessed(installation: Installation, *words: str) -> dict:
    (report,) = installation.printed("replay", CONTACTS, "--reprocess", "--max-lag", "1000000", *words)
    return report


def marks(records: list[Message]) -> Counter[str | None]:
    return Counter(header(record.headers, "ce_origin") for record in records)


def test_a_replay_sends_the_same_events_once_more_marked_as_such(installation: Installation):
    installation.append(*(post(number) for number in range(20)))
    report = reprocessed(installation, "--reason", "after the fix of a policy")
    assert (report["result"], report["progress"]["sent"]) == ("completed", 20)
    records = installation.read(CONTACTS)
    assert marks(records) == {"webhook": 20, "replay": 20}
    again = [record for record in records if header(record.headers, "ce_replayid")]
    assert {header(record.headers, "ce_replayid") for record in again} == {report["id"]}
    assert Counter((record.key, record.value, header(record.headers, "ce_id")) for record in again) == Counter(
        (record.key, record.value, header(record.headers, "ce_id")) for record in records if record not in again
    )
    journal = installation.operations()
    assert [journal[0].kind, journal[0].reason, journal[-1].kind] == [REPLAY_STARTED, "after the fix of a policy", REPLAY_ENDED]
    assert {operation.kind for operation in journal[1:-1]} == {REPLAY_PROGRESSED}


def test_a_second_replay_replays_no_replayed_record(installation: Installation):
    installation.append(*(post(number) for number in range(20)))
    reprocessed(installation)
    report = reprocessed(installation)
    assert (report["progress"]["sent"], report["progress"]["skipped"]) == (20, 20)
    assert marks(installation.read(CONTACTS)) == {"webhook": 20, "replay": 40}


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (["--workspace", "abc12345"], 3),
        (["--key", "other999:7"], 1),
        (["--type", "contact.deleted"], 1),
        (["--type", "intercom.contact.deleted", "--workspace", "abc12345"], 0),
        (["--event", "e2"], 1),
        (["--until", "2020-01-01T00:00:00Z"], 0),
        (["--since", "2020-01-01T00:00:00+02:00"], 5),
    ],
)
def test_what_is_selected_is_what_is_sent_and_what_a_dry_run_says(installation: Installation, words: list[str], sent: int):
    installation.append(*(post(number) for number in range(3)), post(7, "other999"), post(8, "other999", "contact.deleted"))
    (planned,) = installation.printed("replay", CONTACTS, "--reprocess", "--dry-run", *words)
    assert (planned["reads"], planned["sends"]) == (5, sent)
    assert len(installation.read(CONTACTS)) == 5
    result = installation.types("replay", CONTACTS, "--reprocess", "--max-lag", "1000000", "--json", *words)
    assert json.loads(result.stdout)["progress"]["sent"] == sent
    assert ("no record of the range is of what was asked for" in result.stderr) is (sent == 0), result.stderr


def test_a_range_of_offsets_is_read_from_its_first_to_before_its_last(installation: Installation):
    installation.append(
        *(TopicRecord(CONTACTS, b"abc12345:1", b"%d" % number, [("ce_id", b"e%d" % number)]) for number in range(9))
    )
    partition = installation.read(CONTACTS)[0].partition
    words = ["--partition", str(partition), "--from-offset", "2", "--to-offset", "5"]
    assert reprocessed(installation, *words)["progress"]["sent"] == 3
    assert [record.value for record in installation.read(CONTACTS)][9:] == [b"2", b"3", b"4"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["access.facts", "--reprocess"], "never reprocessed"),
        (["person.patches", "--reprocess"], "not a topic that can be replayed"),
        (["nothing.such", "--reprocess"], "not a topic that can be replayed"),
        (["intercom.articles", "--reprocess"], "no agent reads"),
        (["person.patches", "--to", "crm.people"], "not a topic that can be replayed"),
        (["people", "--to", "crm.people"], "there is no topic crm.people"),
        ([CONTACTS, "--reprocess", "--partition", "9"], "has partitions 0 to 2"),
        ([CONTACTS, "--reprocess", "--partition", "0", "--from-offset", "77"], "and not 77"),
        ([CONTACTS, "--reprocess", "--since", "2090-01-01T00:00:00Z"], "nothing of topic"),
        (["--resume", "r-none"], "there is no replay r-none"),
        (["--abandon", "r-none"], "there is no replay r-none"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_the_reason(installation: Installation, words: list[str], text: str):
    installation.append(post(1))
    result = installation.types("replay", *words)
    assert isinstance(result.exception, BadConfiguration)
    assert text in str(result.exception)
    assert installation.operations() == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "name a TOPIC"),
        ([CONTACTS], "say for whom"),
        ([CONTACTS, "--reprocess", "--to", "crm.people"], "not both"),
        ([CONTACTS, "--reprocess", "--since", "2026-01-01T00:00:00"], "no time with its zone"),
        ([CONTACTS, "--reprocess", "--list"], "name a TOPIC, or one of"),
    ],
)
def test_a_command_that_says_too_little_or_too_much_is_refused(installation: Installation, words: list[str], text: str):
    result = installation.types("replay", *words)
    assert (result.exit_code, text in result.output) == (2, True)


def test_this_installations_own_topics_are_no_targets(installation: Installation):
    installation.append(post(1, topic="people"))
    result = installation.types("replay", "people", "--to", installation.kafka.topic("people"))
    assert "own topic" in str(result.exception)


def test_one_downstream_gets_the_records_exactly_as_they_were(installation: Installation):
    target = f"{installation.kafka.topic_prefix}{OTHER_CLUSTERS_TOPIC}"
    asyncio.run(_create(installation.kafka, target))
    installation.append(*(post(number, topic="people") for number in range(10)))
    (report,) = installation.printed("replay", "people", "--to", target)
    assert (report["target"], report["progress"]["sent"]) == (target, 10)
    expected, copied = installation.read("people"), installation.read(OTHER_CLUSTERS_TOPIC)
    assert Counter((record.key, record.value, tuple(record.headers)) for record in copied) == Counter(
        (record.key, record.value, tuple(record.headers)) for record in expected
    )


async def _create(kafka: KafkaSettings, name: str) -> None:
    topic = topics.TOPICS["people"]
    bare = KafkaSettings(bootstrap=kafka.bootstrap, partitions=5)
    await topics.apply(bare, [type(topic)(name=name, key="", encoding=topic.encoding, written_by=(), read_by=())], only=[])


def test_a_file_gets_the_records_as_tail_prints_them_and_is_never_overwritten(installation: Installation, tmp_path: Path):
    installation.append(*(post(number) for number in range(5)))
    file = tmp_path / "contacts.jsonl"
    assert installation.types("replay", CONTACTS, "--to", str(file)).exit_code == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert sorted(row["headers"]["ce_id"] for row in rows) == [f"e{number}" for number in range(5)]
    assert "exists already" in installation.types("replay", CONTACTS, "--to", str(file)).output
    assert len(installation.types("replay", CONTACTS, "--to", "-").stdout.splitlines()) == 5


def test_a_replay_that_is_stopped_continues_where_it_stood(installation: Installation, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(running, "_CHUNK", 3)
    installation.append(*(post(number) for number in range(20)))
    paused = asyncio.run(_begin(installation.kafka, stop_after=2))
    assert paused.result is None
    assert 0 < paused.progress.sent < 20
    (listed,) = installation.printed("replay", "--list")
    assert (listed["id"], listed["progress"]["sent"]) == (paused.id, paused.progress.sent)
    (report,) = installation.printed("replay", "--resume", paused.id, "--max-lag", "1000000")
    assert (report["result"], report["progress"]["sent"]) == ("completed", 20)
    again = [record.key for record in installation.read(CONTACTS) if header(record.headers, "ce_replayid")]
    assert Counter(again) == {record.key: 1 for record in installation.read(CONTACTS)}
    assert "has ended" in str(installation.types("replay", "--resume", paused.id).exception)


def test_a_replay_whose_range_was_deleted_meanwhile_says_so_and_sends_no_part_of_it(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(running, "_CHUNK", 3)
    installation.append(
        *(TopicRecord(CONTACTS, b"abc12345:1", b"%d" % number, [("ce_id", b"e%d" % number)]) for number in range(9))
    )
    partition = installation.read(CONTACTS)[0].partition
    paused = asyncio.run(_begin(installation.kafka, stop_after=2))
    position = paused.progress.positions[partition]
    assert 0 < position < 8
    asyncio.run(_delete_before(installation.kafka, partition, position + 1))
    words = ["replay", CONTACTS, "--reprocess", "--partition", str(partition), "--from-offset", str(position)]
    assert f"has offsets {position + 1} to" in str(installation.types(*words).exception)
    resumed = installation.types("replay", "--resume", paused.id, "--max-lag", "1000000")
    assert isinstance(resumed.exception, MissingRecords)
    assert "deleted by its retention" in str(resumed.exception)
    (kept,) = asyncio.run(replays(installation.kafka, AVRO)).values()
    assert (kept.result, kept.progress) == (None, paused.progress)
    assert installation.printed("replay", "--abandon", paused.id)[0]["result"] == "abandoned"


async def _delete_before(kafka: KafkaSettings, partition: int, offset: int) -> None:
    async with admin_client(kafka) as admin:
        await admin.delete_records({TopicPartition(kafka.topic(CONTACTS), partition): RecordsToDelete(before_offset=offset)})


def test_the_same_replay_is_not_started_twice_while_the_first_is_unfinished(installation: Installation):
    installation.append(*(post(number) for number in range(20)))
    paused = asyncio.run(_begin(installation.kafka, stop_after=0))
    refused = installation.types("replay", CONTACTS, "--reprocess", "--max-lag", "1000000")
    assert f"unfinished, as {paused.id}" in str(refused.exception)
    assert installation.printed("replay", "--abandon", paused.id)[0]["result"] == "abandoned"
    assert reprocessed(installation)["progress"]["sent"] == 20


def test_a_replay_that_another_process_takes_over_sends_nothing_twice(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(running, "_CHUNK", 3)
    installation.append(*(post(number) for number in range(30)))

    async def both() -> list[object]:
        paused = await _begin(installation.kafka, stop_after=1)
        runs = (resume(installation.kafka, AVRO, paused.id, UNHURRIED, _watcher(None)) for _ in range(2))
        return await asyncio.gather(*runs, return_exceptions=True)

    asyncio.run(both())
    (replay,) = asyncio.run(replays(installation.kafka, AVRO)).values()
    if replay.result is None:  # each fenced the other
        asyncio.run(resume(installation.kafka, AVRO, replay.id, UNHURRIED, _watcher(None)))
    again = [record.key for record in installation.read(CONTACTS) if header(record.headers, "ce_replayid")]
    assert Counter(again) == {record.key: 1 for record in installation.read(CONTACTS)}


def test_a_process_that_read_the_journal_before_another_continued_the_replay_sends_nothing_twice(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(running, "_CHUNK", 3)
    installation.append(*(post(number) for number in range(30)))

    async def late() -> Replay:
        stale = await _begin(installation.kafka, stop_after=1)
        await resume(installation.kafka, AVRO, stale.id, UNHURRIED, _watcher(2))
        return await running.run(installation.kafka, AVRO, stale, Pace(), _watcher(None))

    assert asyncio.run(late()).progress.sent == 30
    again = [record.key for record in installation.read(CONTACTS) if header(record.headers, "ce_replayid")]
    assert Counter(again) == {record.key: 1 for record in installation.read(CONTACTS)}


def test_a_replay_waits_while_the_agents_have_more_to_read_than_they_may(installation: Installation):
    installation.append(*(post(number) for number in range(20)))
    waited: list[int] = []
    watcher = Watcher(lambda _: None, waited.append, lambda: len(waited) > 2)
    paused = asyncio.run(
        begin(
            installation.kafka, AVRO, ReplaySelection(topic=CONTACTS), None,
            actor=None, reason=None, limits=ReplayLimits(max_lag=10), watcher=watcher,
        )
    )  # fmt: skip
    assert (paused.progress.sent, waited[0] >= 20) == (0, True)


async def _begin(kafka: KafkaSettings, *, stop_after: int) -> Replay:
    selection = ReplaySelection(topic=CONTACTS)
    return await begin(kafka, AVRO, selection, None, actor="jo", reason=None, limits=UNHURRIED, watcher=_watcher(stop_after))


def _watcher(stop_after: int | None) -> Watcher:
    steps = 0

    def progress(_: Replay) -> None:
        nonlocal steps
        steps += 1

    return Watcher(progress, lambda _: None, lambda: stop_after is not None and steps >= stop_after)
