"""Progress for a person while the stack is fetched and started. Always on stderr: a shell evaluates stdout."""

from collections.abc import Callable
from typing import Protocol, TextIO

MIB = 1024 * 1024


class ProgressReporter(Protocol):
    """Receives each step, and the progress of a long one."""

    def step(self, text: str) -> None: ...

    def meter(self, label: str, total: int) -> Callable[[int], None]:
        """Return a function to call with the number of bytes that arrived since its last call."""


class NoProgress:
    """Shows nothing."""

    def step(self, text: str) -> None:
        """Ignore the step."""

    def meter(self, label: str, total: int) -> Callable[[int], None]:
        return _ignore


class ProgressLines:
    """Shows a line for each step; a download redraws its line on a terminal, and prints a line per quarter elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def step(self, text: str) -> None:
        self._write(f"{text}\n")

    def meter(self, label: str, total: int) -> Callable[[int], None]:
        terminal = self._stream.isatty()
        parts = 100 if terminal else 4
        done, shown = 0, -1

        def on_bytes(size: int) -> None:
            nonlocal done, shown
            done += size
            part = min(done * parts // max(total, 1), parts)
            if part != shown:
                shown = part
                line = f"{label}: {min(done, total) / MIB:.0f} of {total / MIB:.0f} MB"
                self._write(f"\r{line}" + ("\n" if part == parts else "") if terminal else f"{line}\n")

        on_bytes(0)
        return on_bytes

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _ignore(size: int) -> None:
    pass
