"""What a person sees while the stack is fetched and started. Always stderr: stdout belongs to what a shell evaluates."""

from collections.abc import Callable
from typing import Protocol, TextIO

MIB = 1024 * 1024


class ProgressReporter(Protocol):
    """Hear of each step, and how far a long one is."""

    def step(self, text: str) -> None: ...

    def meter(self, what: str, total: int) -> Callable[[int], None]:
        """Return a function that takes the bytes that arrived since it was last called."""


class NoProgress:
    """Show nothing."""

    def step(self, text: str) -> None:
        """Ignore it."""

    def meter(self, what: str, total: int) -> Callable[[int], None]:
        return _ignore


class ProgressLines:
    """Show a line for each step; a download redraws its line on a terminal and says every quarter elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def step(self, text: str) -> None:
        self._write(f"{text}\n")

    def meter(self, what: str, total: int) -> Callable[[int], None]:
        terminal = self._stream.isatty()
        parts = 100 if terminal else 4
        done, shown = 0, -1

        def arrived(size: int) -> None:
            nonlocal done, shown
            done += size
            part = min(done * parts // max(total, 1), parts)
            if part != shown:
                shown = part
                line = f"{what}: {min(done, total) / MIB:.0f} of {total / MIB:.0f} MB"
                self._write(f"\r{line}" + ("\n" if part == parts else "") if terminal else f"{line}\n")

        arrived(0)
        return arrived

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _ignore(size: int) -> None:
    pass
