"""How the story is shown: with colours on a terminal, as plain lines in a pipe, as JSON lines for programs."""

import sys
from io import TextIOWrapper
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.text import Text

from schemas.json_lines import json_line


class StoryOutput(Protocol):
    """Where the story is written."""

    def start_chapter(self, title: str) -> None:
        """Write the title of the next chapter."""

    def show_action(self, what: str, **facts: Any) -> None:
        """Write an action on the system; for a post, `facts` hold the `status` and `ms` of the response."""

    def show_observation(self, what: str, *, ms: float | None = None, after: str = "") -> None:
        """Write what a subscriber received, and how many milliseconds after what."""

    def show_text(self, text: str) -> None:
        """Write a text for people."""


class TextStory:
    """The story for people."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._chapter = 0

    def start_chapter(self, title: str) -> None:
        self._chapter += 1
        self._console.print(Text(f"\n{self._chapter}. {title}", style="bold"))

    def show_action(self, what: str, **facts: Any) -> None:
        answer = f"  ({facts['status']} in {facts['ms']:.0f} ms)" if "status" in facts else ""
        self._console.print(Text.assemble(("   > ", "cyan"), what, (answer, "dim")))

    def show_observation(self, what: str, *, ms: float | None = None, after: str = "") -> None:
        self._console.print(Text.assemble(("   = ", "green"), what))
        if ms is not None:
            self._console.print(Text(f"     {ms:.0f} ms after {after}", style="green"))

    def show_text(self, text: str) -> None:
        self._console.print(Text(text))


class JsonStory:
    """The story for programs: one object per line, `did` and `saw` with all their facts."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def start_chapter(self, title: str) -> None:
        self._write({"chapter": title})

    def show_action(self, what: str, **facts: Any) -> None:
        self._write({"did": what, **{name: round(fact, 1) if isinstance(fact, float) else fact for name, fact in facts.items()}})

    def show_observation(self, what: str, *, ms: float | None = None, after: str = "") -> None:
        self._write({"saw": what, **({} if ms is None else {"ms": round(ms, 1), "after": after})})

    def show_text(self, text: str) -> None:
        """Write nothing: the text is for people only."""

    def _write(self, line: dict[str, Any]) -> None:
        self._stream.write(json_line(line).decode() + "\n")
        self._stream.flush()


def story_output(*, as_json: bool) -> StoryOutput:
    """Return the output for this run; a terminal whose encoding lacks a character shows `?` for it."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace", line_buffering=True)
    return JsonStory(sys.stdout) if as_json else TextStory(sys.stdout)
