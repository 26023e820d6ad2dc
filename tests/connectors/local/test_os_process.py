"""A process is identified by pid and start time together."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.local import os_process
from connectors.local.os_process import Process
from tests.patience import DEADLINE_S

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)",
]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    spawned = os_process.spawn(SLEEP, log=tmp_path / "log")
    yield spawned
    os_process.stop([spawned], grace_s=0)


def test_a_spawned_process_is_alive_until_it_is_stopped(sleeper: Process) -> None:
    assert os_process.is_alive(sleeper)
    os_process.stop([sleeper], grace_s=10)
    assert not os_process.is_alive(sleeper)


def test_a_pid_that_belongs_to_somebody_else_now_is_neither_alive_nor_signalled(sleeper: Process) -> None:
    stranger = Process(sleeper.pid, "another start")
    assert not os_process.is_alive(stranger)
    os_process.send(stranger, signal.SIGKILL)
    os_process.stop([stranger], grace_s=1)
    assert os_process.is_alive(sleeper)


def test_a_process_that_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    spawned = os_process.spawn(STUBBORN, log=tmp_path / "log")
    deadline = time.monotonic() + DEADLINE_S
    while not (tmp_path / "log").read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    os_process.stop([spawned], grace_s=0.2)
    assert not os_process.is_alive(spawned)


def test_a_paused_process_is_alive_and_can_be_stopped(sleeper: Process) -> None:
    os_process.send(sleeper, signal.SIGSTOP)
    deadline = time.monotonic() + DEADLINE_S
    while not os_process.is_paused(sleeper) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert os_process.is_alive(sleeper)
    assert os_process.is_paused(sleeper)
    os_process.stop([sleeper], grace_s=10)
    assert not os_process.is_alive(sleeper)


def test_a_program_that_ends_at_once_is_not_alive_and_leaves_its_words_in_the_log(tmp_path: Path) -> None:
    spawned = os_process.spawn([sys.executable, "-c", "print('words')"], log=tmp_path / "log")
    deadline = time.monotonic() + DEADLINE_S
    while os_process.is_alive(spawned) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (tmp_path / "log").read_text() == "words\n"


def test_it_runs_in_a_session_of_its_own_so_that_ctrl_c_passes_it_by(sleeper: Process) -> None:
    assert os.getsid(sleeper.pid) == sleeper.pid


def test_secrets_of_the_caller_are_not_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_CLIENT_SECRET", "a secret")
    spawned = os_process.spawn([sys.executable, "-c", "import os; print(sorted(os.environ))"], log=tmp_path / "log")
    with contextlib.suppress(ChildProcessError):
        os.waitpid(spawned.pid, 0)
    output = (tmp_path / "log").read_text()
    assert "'PATH'" in output
    assert "INTERCOM_CLIENT_SECRET" not in output
