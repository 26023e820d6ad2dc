"""Processes that outlive us, known by pid *and* start time: a pid alone may belong to a stranger after a reboot."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

_INHERITED = ("PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH")  # and no secret of the caller's
_POLL_S = 0.05


class Process(msgspec.Struct, frozen=True):
    """One started process; `started` is whatever the system says about its start, compared for equality only."""

    pid: int
    started: str


def spawn(argv: list[str], *, log: Path, stdin: int | None = None, extra: dict[str, str] | None = None) -> Process:
    """Start a process in a session of its own (Ctrl-C in our terminal passes it by), its output in `log`.

    `posix_spawn` and not `subprocess`: the child has to outlive us, and no handle may warn that nobody waited for it.
    """
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    source = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0) if stdin is None else (os.POSIX_SPAWN_DUP2, stdin, 0)
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ} | (extra or {})
    pid = os.posix_spawn(argv[0], argv, environment, file_actions=[source, *actions], setsid=True)
    return Process(pid, _identity(pid) or "")


def is_alive(process: Process) -> bool:
    """Say whether this very process still runs; a zombie does not."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    return process.started != "" and _identity(process.pid) == process.started


def is_paused(process: Process) -> bool:
    """Say whether it is frozen by a signal."""
    stat = _stat(process.pid)
    return stat is not None and stat[0] in "Tt"


def send(process: Process, number: signal.Signals) -> None:
    """Signal it, if it is still there."""
    if is_alive(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def stop(processes: Iterable[Process], *, grace_s: float) -> None:
    """End them all: politely, and after `grace_s` by force. Returns when none is left."""
    left = [process for process in processes if is_alive(process)]
    if grace_s > 0:
        for process in left:
            send(process, signal.SIGTERM)
            send(process, signal.SIGCONT)  # a paused one would never hear of it
        left = _wait_for_end(left, grace_s)
    for process in left:
        send(process, signal.SIGKILL)
    stubborn = _wait_for_end(left, 10)
    if stubborn:  # in an uninterruptible wait on a device: nothing more can be done from here
        raise TimeoutError(f"processes {[process.pid for process in stubborn]} do not end")


def _wait_for_end(processes: list[Process], seconds: float) -> list[Process]:
    deadline = time.monotonic() + seconds
    while processes and time.monotonic() < deadline:
        processes = [process for process in processes if is_alive(process)]
        if processes:
            time.sleep(_POLL_S)
    return processes


def _identity(pid: int) -> str | None:
    stat = _stat(pid)
    if stat is None or stat[0] in "ZX":  # a zombie runs no more
        return None
    return stat[1]


def _stat(pid: int) -> tuple[str, str] | None:
    """Return a process' state letter and its start."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return None if Path("/proc/self").exists() else _stat_by_ps(pid)
    except OSError:  # it went away between open and read
        return None
    return fields[0], fields[19]


def _stat_by_ps(pid: int) -> tuple[str, str] | None:
    asked = subprocess.run(["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603
    state, _, started = asked.stdout.strip().partition(" ")
    return (state[0], started.strip()) if started else None
