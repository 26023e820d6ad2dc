"""`directory` on a real Kafka: lists are fed, somebody decides, and the agent does it."""

import asyncio
import json
import re
import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import schemas
from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.topics import TOPICS
from streams.agents.directory.agent import directory
from streams.engine.agent import Agent
from streams.engine.naming import Naming
from streams.engine.runner import running
from tests.streams.cli.installation import Installation
from tests.support.engines import QUICK, until
from tests.support.intercom_bodies import APP
from tests.support.tenancy import TENANCY

ROOT = Path(schemas.__file__).parent.parent
AGENT = directory(TENANCY, Avro.local())
ADMINS = {
    "type": "admin.list",
    "admins": [
        {"type": "admin", "id": "1", "name": "Ada", "email": "ada@acme.example", "role": {"id": "7", "name": "Support"}},
        {"type": "admin", "id": "2", "name": "Bo", "email": "bo@acme.example"},
        {"type": "admin", "id": "3", "name": "Cy", "email": "cy@acme.example"},
    ],
}
TEAMS = {
    "type": "team.list",
    "teams": [
        {"type": "team", "id": "10", "name": "Front line", "admin_ids": [1, 2]},
        {"type": "team", "id": "20", "name": "Billing", "admin_ids": [1]},
    ],
}


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path) -> Installation:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    made = Installation(settings, tmp_path, list(TOPICS), {"acme": {APP: "support"}})
    asyncio.run(topics.apply(settings, Naming(prefix=prefix).changelogs([AGENT]), only=[]))
    return made


@contextmanager
def working(installation: Installation, *others: Agent) -> Iterator[None]:
    """Run the agent, and others, beside the command line."""
    stop, ready = threading.Event(), threading.Event()

    async def work() -> None:
        async with running((AGENT, *others), kafka=installation.kafka, limits=QUICK) as work:
            await until(work.engine.ready.is_set, "the agent is ready")
            ready.set()
            while not stop.is_set():  # noqa: ASYNC110  # set by another thread
                await asyncio.sleep(0.05)

    thread = threading.Thread(target=lambda: asyncio.run(work()), daemon=True)
    thread.start()
    try:
        assert ready.wait(120)
        yield
    finally:
        stop.set()
        thread.join(60)


def fed(installation: Installation, folder: Path) -> None:
    for name, answer in (("admins", ADMINS), ("teams", TEAMS)):
        file = folder / f"{name}.json"
        file.write_text(json.dumps(answer))
        (report,) = installation.printed("directory", "feed", str(file), "--requested", "2026-01-10T04:11:34Z")
        assert report["items"] == len(answer[name])


def shown(installation: Installation, *words: str) -> dict[str, Any]:
    values = installation.printed("directory", "show", *words)
    return {
        "|".join(filter(None, (value["kind"], value.get("team"), value.get("agent") or value.get("id")))): value
        for value in values
    }


def test_teams_and_agents_are_chosen_from_the_command_line(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fed(installation, tmp_path)
    with working(installation):
        deadline = time.monotonic() + 120
        while "team|20" not in shown(installation):
            assert time.monotonic() < deadline, "the lists are not applied"
        (report,) = installation.printed("directory", "select", "--team", "front LINE", "--wait", "120")
        assert (report["team"], report["outcome"]) == ("10", "applied")
        assert not shown(installation)["agent|1"]["imported"], "a team without its members"
        reports = installation.printed("directory", "select", "--team", "10", "--members", "also", "--reason", "all of them")
        assert [(each["agent"], each["outcome"]) for each in reports] == [(None, "unchanged"), ("1", "applied"), ("2", "applied")]
        installation.printed("directory", "deselect", "--team", "10", "--agent", "ada@acme.example")
        installation.printed("directory", "role", "2", "Lead")
        state = shown(installation)
        assert [state[key]["imported"] for key in ("team|10", "member|10|1", "member|10|2", "agent|1", "agent|2")] == [
            True, False, True, False, True,
        ]  # fmt: skip
        assert state["agent|2"]["role"] == "Lead"
        assert sorted(shown(installation, "--undecided")) == ["agent|1", "agent|2", "agent|3", "member|20|1", "team|20"]
        text = installation.types("directory", "show").output
        assert "Front line (10)" in text
        assert "bo@acme.example (2)" in text
        installation.printed("directory", "resend", "2")
        installation.printed("directory", "cancel", "2")
        assert "request withdrawn" in installation.types("directory", "show").output
        again = installation.types("directory", "cancel", "2")
        assert again.exit_code == 1
        assert "there is no request" in again.output
        _file(installation, tmp_path)
        _document(installation, tmp_path, monkeypatch)


def _file(installation: Installation, folder: Path) -> None:
    """A whole selection: what it does not name is deselected."""
    file = folder / "selection.toml"
    file.write_text(
        '\ufeffteams = ["Billing"]\nagents = ["cy@acme.example"]\n[members]\nBilling = ["1"]\n[roles]\n"1" = "Support"\n'
    )
    wishes = installation.printed("directory", "apply", str(file), "--dry-run")
    assert len(wishes) == 6
    assert "agent 2 in team 10: deselect" in installation.types("directory", "apply", str(file), "--dry-run").output
    reports = installation.printed("directory", "apply", str(file))
    assert {each["outcome"] for each in reports} == {"applied"}
    state = shown(installation)
    assert sorted(key for key, value in state.items() if value["imported"]) == ["agent|1", "agent|3", "member|20|1", "team|20"]
    assert state["agent|1"]["drift"] is False
    assert {each["outcome"] for each in installation.printed("directory", "apply", str(file))} == {"unchanged"}
    kinds = [record["kind"] for record in imports(installation)]
    assert kinds.count("deleted") == 2
    assert kinds[:2] == ["requested", "requested"]


def _document(installation: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of docs/directory.md, in its order and with its file."""
    monkeypatch.chdir(folder)
    text = (ROOT / "docs" / "directory.md").read_text()
    (folder / "selection.toml").write_text("".join(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)))
    people = [
        {"type": "admin", "id": str(number), "email": f"{name}@example.com"} for number, name in enumerate(("jo", "bo", "cy"), 4)
    ]
    teams = [{"type": "team", "id": "30", "name": "Support", "admin_ids": [4, 5]}]
    (folder / "admins.json").write_text(json.dumps({"type": "admin.list", "admins": people}))
    (folder / "teams.json").write_text(json.dumps({"type": "team.list", "teams": teams}))
    installation.printed("directory", "feed", "teams.json", "--workspace", APP)
    commands = re.findall(r"^intercom-streams (.*)$", text, re.MULTILINE)
    assert len(commands) == 8
    for number, command in enumerate(commands):
        result = installation.types(*shlex.split(command))
        assert result.exit_code == 0, (command, result.output, result.exception)
        deadline = time.monotonic() + 120
        while number == 0 and not {"agent|6", "team|30"} <= shown(installation).keys():
            assert time.monotonic() < deadline, "the lists are not applied"
    assert {"agent": "5", "kind": "cancelled"}.items() <= imports(installation)[-1].items()


def imports(installation: Installation) -> list[dict[str, Any]]:
    return [Avro.local().decode(record.value)[1] for record in installation.read("agent.imports")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("select",), "say which"),
        (("select", "--team", "10", "--agent", "1", "--members", "only"), "leave out --agent"),
        (("select", "--team", "Nobody"), "No team of the workspace has this name"),
        (("role", "nobody@acme.example", "Lead"), "No agent of the workspace has this name or address"),
        (("select", "--team", "10", "--workspace", "unknown"), "No workspace 'unknown'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_do(
    installation: Installation, words: tuple[str, ...], message: str
) -> None:
    result = installation.types("directory", *words)
    assert result.exit_code != 0
    assert message in f"{result.output}{result.exception}"
    assert installation.read("directory.decisions") == []


def test_a_decision_that_no_worker_comes_to_is_said_to_wait_and_an_empty_directory_says_what_to_do(
    installation: Installation,
) -> None:
    assert "feed them" in installation.types("directory", "show").output
    result = installation.types("directory", "select", "--team", "10", "--wait", "0")
    assert result.exit_code == 1
    assert "no worker has come to it yet" in result.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "not the JSON"),
        ('{"admins": [], "teams": []}', "needs either"),
        ('{"contacts": []}', "needs either"),
        ('{"admins": [], "pages": {"next": "x"}}', "has pages"),
    ],
)
def test_a_file_that_is_no_list_is_refused(installation: Installation, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "list.json"
    file.write_text(text)
    assert message in str(installation.types("directory", "feed", str(file)).exception)


def test_a_list_that_is_not_there_or_was_asked_for_in_the_future_is_refused(installation: Installation, tmp_path: Path) -> None:
    missing = installation.types("directory", "feed", str(tmp_path / "none.json"))
    assert "none.json cannot be read: No such file" in str(missing.exception)
    file = tmp_path / "list.json"
    file.write_text('{"type": "admin.list", "admins": []}')
    future = installation.types("directory", "feed", str(file), "--requested", "2999-01-01T00:00:00Z")
    assert future.exit_code == 2
    assert "is still to come" in future.output


@pytest.mark.parametrize("text", ["teams = 3", "team = []", "[members]\nx = 1", "= "])
def test_a_selection_of_another_form_is_refused(installation: Installation, tmp_path: Path, text: str) -> None:
    file = tmp_path / "selection.toml"
    file.write_text(text)
    assert "The selection cannot be read" in str(installation.types("directory", "apply", str(file)).exception)
