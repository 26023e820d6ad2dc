"""Arguments that make no sense together, or at all, are refused in a sentence before anything is done."""

import importlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from schemas.errors import BadConfiguration, Unavailable
from streams.cli.main import root
from streams.cli.rest_client import retry_notice
from streams.cli.verbs import dead_letters
from streams.ops.backfill.journal import Backfill, ObjectProgress
from streams.ops.backfill.objects import OBJECTS
from streams.ops.backfill.run import ReadingPlan
from streams.ops.dead_letters.resolve import Counts
from tests.streams.cli.test_main import GOOD, typed
from tests.support.config import config_text, write_config


def call(tmp_path: Path, *words: str) -> Result:
    workspace = {"app": "support", "access_token": "t", "api_url": "http://127.0.0.1:1"}
    text = config_text(kafka={"bootstrap": "127.0.0.1:1"}, tenants={"acme": {"abc12345": workspace}})
    return CliRunner().invoke(root, [*words, "--config", str(write_config(tmp_path, text))])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("replay --resume r-1 --dry-run", "as they were begun"),
        ("replay --abandon r-1 --dry-run", "as they were begun"),
        ("replay --resume r-1 --since 2026-03-31T00:00:00Z", "as they were begun"),
        ("replay --resume r-1 --to people.jsonl", "as they were begun"),
        ("replay --list --reprocess", "as they were begun"),
        ("replay intercom.contacts --reprocess --rate nan", "no finite number"),
        ("replay intercom.contacts --reprocess --rate inf", "no finite number"),
        (
            "replay intercom.contacts --reprocess --since 2026-03-31T00:00:00Z --until 2026-03-31T00:00:00Z",
            "not later than --since",
        ),
        ("replay intercom.contacts --reprocess --from-offset 5 --to-offset 5", "not above --from-offset"),
        ("replay people.changes --to x.jsonl --rate 5", "are for topics"),
        ("replay people.changes --to - --reason why", "are for topics"),
        ("rebuild contacts --discard --partitions 4", "takes neither"),
        ("rebuild --list --swap", "name an AGENT or all"),
        ("doctor --worker nonsense", "is no address"),
        ("doctor --ingress 127.0.0.1:99999", "is no address"),
        ("doctor --watch nan", "no finite number"),
        ("status --every inf", "no finite number"),
        ("backfill --abandon --object contacts", "takes --workspace alone"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, words: str, why: str) -> None:
    refused = call(tmp_path, *words.split())
    assert refused.exit_code == 2
    assert why in refused.output


@pytest.mark.parametrize("verb", ["connect", "backfill", "resync", "reconcile"])
def test_without_any_workspace_the_next_step_is_named(tmp_path: Path, verb: str) -> None:
    text = config_text(kafka={"bootstrap": "127.0.0.1:1"}, tenants={"acme": {}})
    refused = CliRunner().invoke(root, [verb, "--config", str(write_config(tmp_path, text))])
    assert isinstance(refused.exception, BadConfiguration)
    assert str(refused.exception).startswith("No workspace is configured. `intercom-streams connect --workspace APP_ID`")


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1/x", "http://127.0.0.1:xx"])
def test_what_is_no_url_is_not_somebody_who_does_not_answer(tmp_path: Path, url: str) -> None:
    (tmp_path / "body.json").write_text("{}")
    refused = call(tmp_path, "send", str(tmp_path / "body.json"), "--url", url)
    assert "is no URL" in str(refused.exception)


def test_a_file_that_cannot_be_completed_is_not_left_behind(tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    for _ in range(2):
        refused = call(tmp_path, "replay", "people.changes", "--to", str(file))
        assert isinstance(refused.exception, Unavailable)
        assert not file.exists()


def test_a_file_that_was_there_before_is(tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    file.write_text("mine")
    assert "exists already" in call(tmp_path, "replay", "people.changes", "--to", str(file)).output
    assert file.read_text() == "mine"


def test_a_folder_that_is_not_there_is_no_backup_that_did_not_end(tmp_path: Path) -> None:
    refused = call(tmp_path, "restore", str(tmp_path / "nowhere"), "--check")
    assert isinstance(refused.exception, BadConfiguration)
    assert str(refused.exception) == f"there is no folder {tmp_path / 'nowhere'}"


def test_a_rebuild_without_kafka_prints_no_line_of_a_log(tmp_path: Path) -> None:
    (tmp_path / "intercom-streams.toml").write_text(GOOD)
    done = typed("rebuild", "access", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: Kafka at 127.0.0.1:1 does not answer")


def test_a_dead_letter_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(*_: Any) -> Counts:
        return Counts()

    monkeypatch.setattr(dead_letters, "resolve", resolve)
    refused = call(tmp_path, "dead-letters", "redrive", "2:17")
    assert refused.exit_code == 1
    assert "0 redriven" in refused.output
    assert "there is no dead letter 2:17" in refused.output


def done(**values: Any) -> Backfill:
    objects = values.pop("objects", ("contacts",))
    return Backfill(**{
        "id": "b-1", "app_id": "abc12345", "objects": objects, "origin": "backfill", "since": None, "until": 1, "started": 1, "actor": None,
        "progress": {name: ObjectProgress(then=()) for name in objects}, "updated": 1, "result": "completed",
    } | values)  # fmt: skip


def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: Backfill | None, *words: str) -> tuple[Result, ReadingPlan]:
    """Call a verb whose reading ends so (None: as it was asked for), and return what was asked for."""
    asked: list[ReadingPlan] = []

    async def begin(_kafka: object, _avro: object, _client: object, wanted: ReadingPlan, _watcher: object) -> Backfill:
        asked.append(wanted)
        return done(objects=wanted.objects, since=wanted.since) if ended is None else ended

    module = importlib.import_module("streams.cli.verbs.backfill.read_workspace")  # its package has a function of that name
    monkeypatch.setattr(module, "begin", begin)
    result = call(tmp_path, *words)
    assert result.exit_code == 0, result.output
    return result, asked[0]


def test_a_type_of_object_that_is_named_twice_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, asked = read(tmp_path, monkeypatch, None, "backfill", "--object", "tags", "--object", "contacts", "--object", "tags")
    assert asked.objects == ("tags", "contacts")


@pytest.mark.parametrize(
    ("words", "ended"),
    [
        ("backfill", done()),
        ("backfill --object contacts", done(since=5)),
        ("resync", done(objects=tuple(OBJECTS))),
        ("resync --object tags", done(origin="resync")),
    ],
)
def test_another_reading_that_was_continued_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, ended: Backfill
) -> None:
    result, _ = read(tmp_path, monkeypatch, ended, *words.split())
    assert "this was the unfinished reading b-1, not what was asked for" in result.output


@pytest.mark.parametrize(
    ("words", "ended"),
    [("backfill", None), ("backfill --object contacts", None), ("resync", done(origin="resync", since=7))],
)
def test_what_was_asked_for_needs_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, ended: Backfill | None
) -> None:
    result, _ = read(tmp_path, monkeypatch, ended, *words.split())
    assert "not what was asked for" not in result.output


def test_somebody_who_waits_for_intercom_reads_why(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = [100.0]
    say = retry_notice(lambda: seconds[-1])
    for second in (100.0, 101.0, 109.9, 110.0, 115.0):
        seconds.append(second)
        say("it has a fault")
    assert capsys.readouterr().err == "Intercom gave no answer, and is asked again: it has a fault\n" * 2


def test_a_selection_that_is_no_text_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "selection.toml").write_bytes(b"\xff\xfe")
    refused = call(tmp_path, "directory", "apply", str(tmp_path / "selection.toml"))
    assert isinstance(refused.exception, BadConfiguration)
    assert "is no text in UTF-8" in str(refused.exception)
