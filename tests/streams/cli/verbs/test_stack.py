"""`stack` as a user and a shell see it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from connectors.local import LocalStack
from streams.cli.verbs.stack import stack


@pytest.fixture(autouse=True)
def private_stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_STREAMS_STATE", str(tmp_path))


def test_env_prints_only_what_a_shell_evaluates_and_status_and_down_follow() -> None:
    try:
        up = CliRunner().invoke(stack, ["up", "--env"])
        assert up.exit_code == 0
        assert [line.partition("=")[0] for line in up.stdout.splitlines()] == ["KAFKA_BOOTSTRAP", "REDIS_URL"]
        status = CliRunner().invoke(stack, ["status", "--json"])
        report = json.loads(status.stdout)
        assert status.exit_code == 0
        assert report["running"] is True
        assert [f"{name}={value}" for name, value in report["environment"].items()] == up.stdout.splitlines()
        assert {service["name"]: service["state"] for service in report["services"]} == {"redis": "running", "kafka-1": "running"}
        down = CliRunner().invoke(stack, ["down"])
        assert "is stopped" in down.stdout
        stopped = CliRunner().invoke(stack, ["status"])
        assert stopped.exit_code == 1
        assert stopped.stdout.count("stopped") == 2
    finally:
        LocalStack.named().down(remove=True)


def test_a_stack_that_does_not_exist_is_said_and_not_started() -> None:
    status = CliRunner().invoke(stack, ["status", "--name", "none"])
    assert status.exit_code == 1
    assert "There is no stack 'none'" in status.stdout
    assert "was not running" in CliRunner().invoke(stack, ["down", "--name", "none"]).stdout
    assert json.loads(CliRunner().invoke(stack, ["status", "--name", "none", "--json"]).stdout)["services"] == []


def test_an_error_is_one_paragraph_without_a_traceback() -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "streams.cli", "stack", "up", "--name", "a/b"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: 'a/b' cannot name a stack")
    assert "Traceback" not in refused.stderr


def test_what_is_printed_reaches_the_programs_a_shell_starts_when_evaluated_as_the_help_says() -> None:
    help_text = CliRunner().invoke(stack, ["up", "--help"]).stdout.split()
    assert 'set -a; eval "$(intercom-streams stack up --env)"; set +a' in " ".join(help_text)
    script = "set -a; eval \"$(printf 'KAFKA_BOOTSTRAP=127.0.0.1:1,127.0.0.1:2\\n')\"; set +a; env"
    shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    assert "KAFKA_BOOTSTRAP=127.0.0.1:1,127.0.0.1:2" in shell.stdout.splitlines()
