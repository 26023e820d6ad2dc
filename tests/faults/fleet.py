"""Processes that are killed, frozen and started again, with what they said kept for the report of a failure."""

import os
import signal
import subprocess
import sys
from pathlib import Path

_LEAVE_SECONDS = 60


class Fleet:
    """Processes of one kind."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
        self._command = command
        self._folder = folder
        self._environment = {**os.environ, **(environment or {})}
        self._started = 0
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        """Start one more, with arguments of its own behind those of all."""
        self._started += 1
        with (self._folder / f"process{self._started}.log").open("wb") as out:
            command = [sys.executable, *self._command, *more]
            process = subprocess.Popen(command, stdout=out, stderr=out, env=self._environment)
        self.running.append(process)
        return process

    def kill(self, which: int) -> None:
        """End one as a power failure would."""
        process = self.running.pop(which)
        process.kill()
        process.wait()

    def leave(self, which: int) -> None:
        """Let one go in order."""
        process = self.running[which]
        process.terminate()
        try:
            process.wait(_LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"a worker that was told to leave was still there after {_LEAVE_SECONDS} s") from None
        self.running.pop(which)
        assert process.returncode in (0, -signal.SIGTERM), f"a worker left with {process.returncode}: {self.last_words()}"

    def freeze(self, which: int) -> subprocess.Popen[bytes]:
        """Stop one without its knowing."""
        self.running[which].send_signal(signal.SIGSTOP)
        return self.running[which]

    def died(self) -> list[int]:
        """Return exit codes of those that ended by themselves."""
        return [process.returncode for process in self.running if process.poll() is not None]

    def last_words(self) -> str:
        """Return the end of each log."""
        logs = sorted(self._folder.glob("process*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs[-4:])

    def close(self) -> None:
        """End all."""
        while self.running:
            self.running[0].send_signal(signal.SIGCONT)
            self.kill(0)
