"""The commands of docs/operations.md, run in order against an installation on a real Kafka: each does its work, or says in a sentence why not."""

import re
import secrets
import shlex
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.errors import IntercomStreamsError
from schemas.topics import TOPICS
from tests.streams.cli.installation import Installation
from tests.support.config import config_text

DOCUMENT = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
NOT_HERE = {
    "run": "runs until it is stopped", "stack": "is this machine's own stack", "rebuild": "has tests of its own, and waits for workers",
    "send": "needs a server", "sync": "needs Intercom",
}  # fmt: skip
WAITS = ("--hold",)  # for a worker, which does not run here


def commands() -> list[str]:
    """Return the lines of shell blocks that are commands of the product."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in dict.fromkeys(lines) if line.startswith("intercom-streams ")]


@pytest.fixture(scope="module")
def installation(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("runbooks")
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=f"t{secrets.token_hex(4)}.", partitions=1)
    made = Installation(settings, folder, list(TOPICS))
    servers = {"bootstrap": kafka, "topic_prefix": settings.topic_prefix}
    made.config.write_text(config_text(kafka=servers))
    return made


def test_there_are_runbooks_with_commands():
    assert len(commands()) > 20


@pytest.mark.parametrize("line", commands())
def test_a_command_of_the_runbooks_does_its_work_or_says_why_not(
    installation: Installation, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    words = shlex.split(line, comments=True)[1:]
    if words[0] in NOT_HERE or any(word in WAITS for word in words):
        pytest.skip(NOT_HERE.get(words[0], "waits for a worker"))
    monkeypatch.chdir(tmp_path)
    for name in ("staff.csv", "policy.toml", "admins.json", "head.json"):
        (tmp_path / name).write_text("")
    result = installation.types(*words)
    assert result.exception is None or isinstance(result.exception, SystemExit | IntercomStreamsError), (line, result.exc_info)
    assert result.exit_code != 2, (line, result.output)
    assert "Traceback" not in result.output
