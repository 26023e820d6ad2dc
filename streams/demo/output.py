"""How the story looks: on a terminal with colours, in a pipe as plain lines, for programs as JSON lines."""

import sys
from io import TextIOWrapper
from typing import Any, Protocol, TextIO

import msgspec
from rich.console import Console
from rich.text import Text


class StoryOutput(Protocol):
    """Where the story is written."""

    def chapter(self, title: str) -> None:
        """Begin the next part."""

    def did(self, what: str, **facts: Any) -> None:
        """Tell what was done to the system from outside; `status` and `ms` of the answer where it was a post."""

    def observed(self, what: str, *, ms: float | None = None, after: str = "") -> None:
        """Tell what came out, and how many milliseconds after what."""

    def plain(self, text: str) -> None:
        """Write a line as it is."""


class TextStory:
    """For people."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._chapter = 0

    def chapter(self, title: str) -> None:
        self._chapter += 1
        self._console.print(Text(f"\n{self._chapter}. {title}", style="bold"))

    def did(self, what: str, **facts: Any) -> None:
        answer = f"  ({facts['status']} in {facts['ms']:.0f} ms)" if "status" in facts else ""
        self._console.print(Text.assemble(("   > ", "cyan"), what, (answer, "dim")))

    def observed(self, what: str, *, ms: float | None = None, after: str = "") -> None:
        self._console.print(Text.assemble(("   = ", "green"), what))
        if ms is not None:
            self._console.print(Text(f"     {ms:.0f} ms after {after}", style="green"))

    def plain(self, text: str) -> None:
        self._console.print(Text(text))


class JsonStory:
    """For programs: one object per line, `did` and `saw` with all their facts."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def chapter(self, title: str) -> None:
        self._write({"chapter": title})

    def did(self, what: str, **facts: Any) -> None:
        self._write({"did": what, **{name: round(fact, 1) if isinstance(fact, float) else fact for name, fact in facts.items()}})

    def observed(self, what: str, *, ms: float | None = None, after: str = "") -> None:
        self._write({"saw": what, **({} if ms is None else {"ms": round(ms, 1), "after": after})})

    def plain(self, text: str) -> None:
        """Leave out what is for people only."""

    def _write(self, line: dict[str, Any]) -> None:
        self._stream.write(msgspec.json.encode(line).decode() + "\n")
        self._stream.flush()


def story_output(*, as_json: bool) -> StoryOutput:
    """Return the page for this run; a terminal that cannot spell a name shows `?` for it."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace", line_buffering=True)
    return JsonStory(sys.stdout) if as_json else TextStory(sys.stdout)
