"""How far a reading is: bars on a terminal, lines in a log."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from streams.cli.verbs.backfill.progress_shown import CountColumn, ReadingBars, ReadingLines
from streams.ops.backfill.journal import Backfill, ObjectProgress


def reading(**progress: ObjectProgress) -> Backfill:
    return Backfill(
        id="b-1", app_id="ws1", objects=tuple(progress), origin="backfill", since=None, until=0, started=0, updated=0, actor=None,
        progress=progress,
    )  # fmt: skip


def test_a_log_has_a_line_every_ten_seconds_with_the_rate_and_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ReadingLines(iter((0.0, 1.0, 9.0, 10.0, 19.0)).__next__)
    for read in (100, 900, 1_100, 1_900):
        lines(reading(contacts=ObjectProgress(then=None, read=read, total=4_100)))
    assert capsys.readouterr().err.splitlines() == ["b-1: contacts 1,100 of 4,100; 100/s, about 30 s left"]


def test_a_terminal_has_a_bar_for_each_type_of_object() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with Progress(TextColumn("{task.description}"), CountColumn(), console=console, auto_refresh=False) as bars:
        shown = ReadingBars(bars)
        shown(reading(contacts=ObjectProgress(read=150, total=4_100), tags=ObjectProgress(read=0)))
        assert [(task.description, task.completed, task.total) for task in bars.tasks] == [
            ("contacts", 150, 4_100),
            ("tags", 0, None),
        ]
        shown(reading(contacts=ObjectProgress(read=300, total=4_100), tags=ObjectProgress(then=(), read=7)))
        assert [task.finished for task in bars.tasks] == [False, True]
        assert [str(CountColumn().render(task)) for task in bars.tasks] == ["300 of 4,100", "7"]
