"""Processes that are killed, frozen and restarted; their logs are kept for the report of a failure."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.patience import DEADLINE_S


class Fleet:
    """Processes of one command, run by this Python or another program."""

    def __init__(
        self, command: list[str], folder: Path, environment: dict[str, str] | None = None, program: str = sys.executable
    ) -> None:
        self._command = [program, *command]
        self._folder = folder
        self._environment = {**os.environ, **(environment or {})}
        self._started = 0
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        """Start one more process, with additional arguments of its own."""
        self._started += 1
        with (self._folder / f"process{self._started}.log").open("wb") as out:
            command = [*self._command, *more]
            process = subprocess.Popen(command, stdout=out, stderr=out, env=self._environment)
        self.running.append(process)
        return process

    def kill(self, which: int) -> None:
        """SIGKILL a process."""
        process = self.running.pop(which)
        process.kill()
        process.wait()

    def stop(self, which: int) -> None:
        """Stop a process in order."""
        process = self.running[which]
        process.terminate()
        try:
            process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"a worker did not stop within {DEADLINE_S} s after SIGTERM") from None
        self.running.pop(which)
        assert process.returncode in (0, -signal.SIGTERM), (
            f"a worker stopped with exit code {process.returncode}: {self.log_tails()}"
        )

    def freeze(self, which: int) -> subprocess.Popen[bytes]:
        """Freeze a process with SIGSTOP."""
        self.running[which].send_signal(signal.SIGSTOP)
        return self.running[which]

    def exit_codes(self) -> list[int]:
        """Return the exit codes of the processes that ended by themselves."""
        return [process.returncode for process in self.running if process.poll() is not None]

    def log_tails(self) -> str:
        """Return the end of each log."""
        logs = sorted(self._folder.glob("process*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs[-4:])

    def close(self) -> None:
        """Kill all processes."""
        while self.running:
            self.running[0].send_signal(signal.SIGCONT)
            self.kill(0)
