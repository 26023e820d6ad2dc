"""How far a reading is, on standard error: a bar for each type of object on a terminal, elsewhere a line every ten seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from streams.ops.backfill.journal import Backfill

_LINE_EVERY_S: Final = 10.0


@contextmanager
def progress_shown(*, as_json: bool) -> Iterator[Callable[[Backfill], None]]:
    """Yield what to call with each step of a reading."""
    console = Console(stderr=True)
    if as_json:
        yield lambda _: None
    elif console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), CountColumn(), RateColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as bars:
            yield ReadingBars(bars)
    else:
        yield ReadingLines(time.monotonic)


class CountColumn(ProgressColumn):
    """How many were read, of how many where Intercom says it."""

    def render(self, task: Task) -> Text:
        return Text(
            f"{task.completed:,.0f}" if task.total in (None, task.completed) else f"{task.completed:,.0f} of {task.total:,.0f}"
        )


class RateColumn(ProgressColumn):
    """How many are read a second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.finished or not task.speed else f"{task.speed:,.0f}/s")


class ReadingBars:
    """A bar for each type of object."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, backfill: Backfill) -> None:
        for name, each in backfill.progress.items():
            total = each.read if each.done else each.total
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(name, total=total, completed=each.read)
            self._bars.update(self._tasks[name], total=total, completed=each.read)


class ReadingLines:
    """Lines for a log: all types of object, the rate of all, and the time left where it is known."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun = self._shown = clock()
        self._first: int | None = None

    def __call__(self, backfill: Backfill) -> None:
        now, read = self._clock(), sum(each.read for each in backfill.progress.values())
        self._first = read if self._first is None else self._first
        if now - self._shown >= _LINE_EVERY_S:
            self._shown, rate = now, (read - self._first) / (now - self._begun)
            parts = ", ".join(f"{name} {count(backfill, name)}" for name in backfill.objects)
            click.echo(f"{backfill.id}: {parts}; {rate:,.0f}/s{_left(backfill, rate)}", err=True)


def count(backfill: Backfill, name: str) -> str:
    """Return how many objects of a type were read, and of how many while it is under way."""
    progress = backfill.progress[name]
    return (
        f"{progress.read:,} of {progress.total:,}" if progress.total is not None and not progress.done else f"{progress.read:,}"
    )


def _left(backfill: Backfill, rate: float) -> str:
    open_ = [each for each in backfill.progress.values() if not each.done]
    if rate <= 0 or any(each.total is None for each in open_):
        return ""
    return f", about {sum(max(0, (each.total or 0) - each.read) for each in open_) / rate:,.0f} s left"
