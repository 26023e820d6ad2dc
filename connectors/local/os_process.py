"""Processes that outlive this one, identified by pid *and* start time: after a reboot a pid may belong to another process."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

# None of the caller's secrets.
_INHERITED = ("PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "JDK_JAVA_OPTIONS")
_POLL_S = 0.05


class Process(msgspec.Struct, frozen=True):
    """One started process; `started` is its start time in the system's own format, compared only for equality."""

    pid: int
    started: str


def spawn(argv: list[str], *, log: Path, stdin: int | None = None, extra: dict[str, str] | None = None) -> Process:
    """Start a process in a session of its own, which Ctrl-C in our terminal does not reach, with its output in `log`.

    Uses `posix_spawn` instead of `subprocess`: the child has to outlive us, and `subprocess` warns of a child not waited for.
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
    """Return whether exactly this process still runs; a zombie does not."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    return process.started != "" and _identity(process.pid) == process.started


def is_paused(process: Process) -> bool:
    """Return whether a signal has stopped the process."""
    stat = _stat(process.pid)
    return stat is not None and stat[0] in "Tt"


def send(process: Process, number: signal.Signals) -> None:
    """Send the process a signal, if it still runs."""
    if is_alive(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def stop(processes: Iterable[Process], *, grace_s: float) -> None:
    """End all processes, by SIGTERM, and after `grace_s` by SIGKILL. Returns when all have ended."""
    running = [process for process in processes if is_alive(process)]
    if grace_s > 0:
        for process in running:
            send(process, signal.SIGTERM)
            send(process, signal.SIGCONT)  # a stopped process handles no signal until it continues
        running = _wait_for_end(running, grace_s)
    for process in running:
        send(process, signal.SIGKILL)
    running = _wait_for_end(running, 10)
    if running:  # in an uninterruptible wait on a device: nothing more can be done from here
        raise TimeoutError(f"processes {[process.pid for process in running]} do not end")


def _wait_for_end(processes: list[Process], seconds: float) -> list[Process]:
    deadline = time.monotonic() + seconds
    while processes and time.monotonic() < deadline:
        processes = [process for process in processes if is_alive(process)]
        if processes:
            time.sleep(_POLL_S)
    return processes


def _identity(pid: int) -> str | None:
    stat = _stat(pid)
    if stat is None or stat[0] in "ZX":  # a zombie has ended
        return None
    return stat[1]


def _stat(pid: int) -> tuple[str, str] | None:
    """Return a process' state letter and its start time."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return None if Path("/proc/self").exists() else _stat_by_ps(pid)
    except OSError:  # it ended between open and read
        return None
    return fields[0], fields[19]


def _stat_by_ps(pid: int) -> tuple[str, str] | None:
    command = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    state, _, started = result.stdout.strip().partition(" ")
    return (state[0], started.strip()) if started else None
