"""`access snapshot|confirm` against a real Kafka: what they append to the log, and what they refuse to append."""

import json
import os

import pytest
from click.testing import CliRunner

from streams.cli.main import root
from tests.streams.cli.operator import Operator


def teammates(*ids: str) -> str:
    admins = [{"type": "admin", "id": id_, "name": "Jo", "email": f"{id_}@acme.example", "team_ids": []} for id_ in ids]
    return json.dumps({"type": "admin.list", "admins": admins})


def test_a_list_of_teammates_becomes_a_snapshot_as_of_the_time_its_file_was_written(operator: Operator):
    file = operator.file("admins.json", teammates("7", "8"))
    os.utime(file, (1_768_464_000, 1_768_464_000))
    report = operator.printed("access", "snapshot", file)
    assert (report["tenant"], report["app_id"], report["teammates"]) == (operator.tenant, "abc12345", 2)
    assert report["requested"] == "2026-01-15T08:00:00.000Z"
    log = operator.log()
    assert [fact.kind.rpartition(".")[2] for fact in log] == ["started", "row", "row", "ended"]
    assert {fact.snapshot.id for fact in log if fact.snapshot} == {report["snapshot"]}


def test_a_list_of_teammates_from_standard_input_has_the_time_given_and_may_be_confirmed_at_once(operator: Operator):
    words = ("access", "snapshot", "-", "--workspace", "abc12345", "--requested", "2026-01-15T09:00:00+01:00", "--confirm")
    result = CliRunner().invoke(root, [*words, "--config", str(operator.config)], input=teammates("7"))
    assert result.exception is None
    log = operator.log()
    assert [fact.kind for fact in log][-2:] == ["snapshot.confirmed", "admins.snapshot.ended"]
    assert {fact.snapshot.requested for fact in log if fact.snapshot} == {1_768_464_000_000}


def test_a_snapshot_is_confirmed_by_its_id_and_one_that_is_not_in_the_log_is_refused(operator: Operator):
    report = operator.printed("access", "snapshot", operator.file("admins.json", teammates("7")))
    operator.printed("access", "confirm", report["snapshot"], "--workspace", "abc12345")
    decided = operator.log()[-1]
    assert (decided.kind, decided.app_id, decided.basis) == ("snapshot.confirmed", "abc12345", "decided")
    assert decided.snapshot is not None
    assert decided.snapshot.id == report["snapshot"]
    assert "has no snapshot 'unheard of' in the log" in str(operator.types("access", "confirm", "unheard of").exception)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("admins.json", "--workspace", "zzz"), "No workspace 'zzz' is configured. Configured workspaces: abc12345."),
        (("nowhere.json",), "cannot be read"),
        (("cut.json",), "not whole JSON"),
        (("admins.json", "--requested", "2026-01-15"), "no time with its zone"),
        (("admins.json", "--requested", "2999-01-01T00:00:00Z"), "is still to come"),
    ],
)
def test_a_list_that_cannot_be_used_appends_nothing(operator: Operator, words: tuple[str, ...], why: str):
    operator.file("admins.json", teammates("7"))
    operator.file("cut.json", teammates("7")[:-5])
    result = operator.types("access", "snapshot", str(operator.folder / words[0]), *words[1:])
    assert result.exit_code != 0
    assert why in f"{result.exception}{result.output}"
    assert operator.log() == []
