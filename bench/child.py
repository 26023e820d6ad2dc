"""A rival in a process of its own: started, watched and stopped; its CPU time and memory are read at the end."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.memory import status_mib
from bench.sockets import established
from schemas.errors import MustStop

_END_S = 15  # time for a worker to leave its group in order


class Usage(msgspec.Struct, frozen=True):
    """CPU seconds of a process and of the children that it waited for, and its peak memory in MiB."""

    cpu_s: float
    memory_mib: float


class Child:
    """A process, started at `started` in Unix seconds. Its output goes to a file and is shown only when it fails."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self.command = list(command)
        self.started = time.time()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the child
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )

    @classmethod
    def python(cls, *arguments: str) -> "Child":
        """Start this interpreter with arguments."""
        return cls([sys.executable, *arguments])

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_s(self) -> float:
        """Return the CPU seconds used so far by the process and its running children; 0 if the system does not show them."""
        return sum(_cpu_s(pid) for pid in _family(self.pid))

    def peak_mib(self) -> float:
        """Return the peak memory of the process and its children, in MiB; 0 if the system does not show it."""
        return sum(status_mib(pid, "VmHWM") for pid in _family(self.pid))

    def resident_mib(self) -> float:
        """Return the present memory of the process and its children, in MiB; 0 if the system does not show it."""
        return sum(status_mib(pid, "VmRSS") for pid in _family(self.pid))

    def must_run(self) -> None:
        """Raise `MustStop` with the end of the output if the process has ended by itself."""
        if self._process.poll() is not None:
            raise MustStop(
                f"{' '.join(self.command[1:4])} ended by itself with code {self._process.returncode}:\n{self.output()[-2000:]}"
            )

    def wait_for_success(self, seconds: float) -> None:
        """Wait until the process ends by itself; raise `MustStop` if it fails or does not end in time."""
        try:
            failed = self._process.wait(seconds) != 0
        except subprocess.TimeoutExpired:
            self._process.kill()
            failed = True
        if failed:
            raise MustStop(f"{' '.join(self.command[1:])} did not succeed:\n{self.output()[-2000:]}")

    def wait_for_usage(self, seconds: float) -> Usage:
        """Wait until the process ends by itself, and return what it used; raise `MustStop` if it fails or does not end in time."""
        deadline, memory = time.monotonic() + seconds, 0.0
        while (used := self._reap(os.WNOHANG)) is None:
            memory = max(memory, self.peak_mib())
            if time.monotonic() > deadline:
                self._process.kill()
            time.sleep(0.02)
        if self._process.returncode != 0:
            raise MustStop(f"{' '.join(self.command[1:])} did not succeed:\n{self.output()[-2000:]}")
        return Usage(used, memory)

    def connections(self, ports: Collection[int]) -> int:
        """Return the number of connections of the process and its children to these ports; 0 if the system does not show it."""
        return sum(established(pid, ports) for pid in _family(self.pid))

    def stop(self) -> Usage:
        """Send SIGTERM, after a while SIGKILL, and return the usage of the process."""
        memory = self.peak_mib()
        self._process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _END_S
        while (used := self._reap(os.WNOHANG)) is None:
            if time.monotonic() > deadline:
                self._process.kill()
                used = self._reap(0)
                break
            time.sleep(0.02)
        return Usage(used or 0.0, memory)

    def output(self) -> str:
        """Return the output so far."""
        self._output.seek(0)
        return self._output.read().decode(errors="replace")

    def _reap(self, how: int) -> float | None:
        if self._process.returncode is not None:
            return 0.0
        pid, status, used = os.wait4(self.pid, how)
        if pid == 0:
            return None
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return used.ru_utime + used.ru_stime


def _family(parent: int) -> list[int]:
    """Return a process and its descendants."""
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:
        return [parent]
    return [parent, *(each for child in children for each in _family(int(child)))]


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # user and system time


@contextmanager
def running(child: Child) -> Iterator[Child]:
    """Yield a child and stop it at the end of the block."""
    try:
        yield child
    finally:
        child.stop()


def run_job(module: str, job: msgspec.Struct, seconds: float, *arguments: str) -> bytes:
    """Run a module with arguments and a job, within a deadline; return the last line that it prints."""
    command = [sys.executable, "-m", module, *arguments, msgspec.json.encode(job).decode()]
    try:
        completed = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise MustStop(f"{' '.join([module, *arguments])} was not done within {seconds:.0f} s.") from error
    if completed.returncode:
        raise MustStop(f"{module} failed:\n{completed.stderr.decode(errors='replace')[-2000:]}")
    return completed.stdout.splitlines()[-1]
