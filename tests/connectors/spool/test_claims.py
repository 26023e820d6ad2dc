"""Ownership of spool files among living and dead processes."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from connectors.spool.claims import claim_orphans, claim_own, damaged_files
from schemas.errors import BadConfiguration


def test_each_process_has_a_file_of_its_own(tmp_path: Path) -> None:
    first, second, third = claim_own(tmp_path, 0), claim_own(tmp_path, 1), claim_own(tmp_path, 0)
    assert len({first.path, second.path, third.path}) == 3
    first.release()
    assert claim_own(tmp_path, 0).path == first.path


def test_only_files_of_dead_processes_are_orphans(tmp_path: Path) -> None:
    own, orphan = claim_own(tmp_path, 0), claim_own(tmp_path, 1)
    for claim in (own, orphan):
        claim.path.touch()
    orphan.release()
    assert [claim.path for claim in claim_orphans(tmp_path)] == [orphan.path]


def _claims_and_is_killed(folder: Path) -> None:
    claim_own(folder, 0).path.touch()
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_kill_frees_the_file(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_claims_and_is_killed, args=(tmp_path,))
    process.start()
    process.join(30)
    assert process.exitcode == -9
    assert [claim.path.name for claim in claim_orphans(tmp_path)] == ["ingress-0.spool"]


def test_an_adopted_file_is_removed_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    claim = claim_own(tmp_path, 0)
    for suffix in ("", "-wal", "-shm"):
        claim.path.with_name(claim.path.name + suffix).touch()
    claim.delete()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_moved_aside_with_its_log_and_is_nobodys_orphan(tmp_path: Path) -> None:
    claim = claim_own(tmp_path, 0)
    claim.path.write_text("torn")
    claim.path.with_name(claim.path.name + "-wal").write_text("log")
    target = claim.move_aside()
    claim.release()
    assert target.read_text() == "torn"
    assert target.with_name(target.name + "-wal").read_text() == "log"
    assert damaged_files(tmp_path) == [target]
    assert list(claim_orphans(tmp_path)) == []


def test_a_folder_that_cannot_be_used_is_named_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadConfiguration, match=r"ingress\.spool"):
        claim_own(tmp_path / "file" / "spool", 0)
