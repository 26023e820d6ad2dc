"""Errors of a stack that cannot do what is asked, without starting anything."""

import shutil
from pathlib import Path

import pytest

from connectors.local import LocalStack, stack_state
from connectors.local.paths import cache_home, stacks_home
from schemas.errors import InvalidRecord, Unavailable


@pytest.fixture
def home(tmp_path: Path) -> Path:
    known = stack_state.new(1, registry=False)
    tmp_path.joinpath("stack").mkdir()
    stack_state.write(tmp_path / "stack", known)
    return tmp_path / "stack"


def test_another_number_of_brokers_needs_a_fresh_start_or_another_name(home: Path) -> None:
    with pytest.raises(Unavailable, match=r"has 1 broker\(s\), not 3.*--fresh"):
        LocalStack(home).up(brokers=3)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "a b"])
def test_a_name_cannot_leave_the_folder_of_stacks(name: str) -> None:
    with pytest.raises(InvalidRecord, match="cannot name a stack"):
        LocalStack.named(name)


def test_a_nearly_full_disk_stops_the_start_before_kafka_does(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    with pytest.raises(Unavailable, match="less than 300 MB left"):
        LocalStack(home).up()


def test_a_stack_that_was_never_started_has_no_addresses(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="`intercom-streams stack up` starts one"):
        _ = LocalStack(tmp_path / "none").addresses


def test_stopping_what_does_not_exist_changes_nothing(tmp_path: Path) -> None:
    assert LocalStack(tmp_path / "none").down() is False
    assert list(tmp_path.iterdir()) == []


def test_a_file_left_unreadable_by_a_crash_counts_as_no_stack(home: Path) -> None:
    (home / "stack.json").write_bytes(b'{"clus')
    assert LocalStack(home).status() == []


def test_folders_follow_our_variables_then_xdg_then_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    for variable in ("INTERCOM_STREAMS_CACHE", "INTERCOM_STREAMS_STATE", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    assert cache_home() == Path("/home/ada/.cache/intercom-streams")
    assert stacks_home() == Path("/home/ada/.local/state/intercom-streams/stacks")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert cache_home() == Path("/xdg/intercom-streams")
    assert stacks_home() == Path("/home/ada/.local/state/intercom-streams/stacks")
    monkeypatch.setenv("INTERCOM_STREAMS_CACHE", "~/ours")
    assert cache_home() == Path("/home/ada/ours")
