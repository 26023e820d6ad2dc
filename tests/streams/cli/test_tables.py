"""Tables and lines with texts that others chose: shown whole, as they are, and without commanding a terminal."""

import re
from pathlib import Path

import pytest

from streams.cli.lines import print_line, visible
from streams.cli.tables import TextTable, print_table

CLI = Path(__file__).parents[3] / "streams" / "cli"


def test_a_table_in_a_pipe_shows_texts_whole_and_markup_as_it_is(capsys: pytest.CaptureFixture[str]):
    table = TextTable("who", "why")
    table.add_row("[/Admin] [red]Jo[/red]", "word " * 30)
    print_table(table)
    shown = capsys.readouterr().out
    assert "[/Admin] [red]Jo[/red]" in shown
    assert ("word " * 30).strip() in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Jo Müller, 日本 👩‍💻", "Jo Müller, 日本 👩‍💻"),
        ("a\u00a0b\u3000c", "a b c"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("txt\u202egpj.exe", "txt\\u202egpj.exe"),
        ("\u200bnobody", "\\u200bnobody"),
        ("\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648"),
    ],
    ids=ascii,
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str, capsys: pytest.CaptureFixture[str]):
    assert visible(text) == shown
    table = TextTable("text")
    table.add_row(text)
    print_table(table)
    assert shown in capsys.readouterr().out
    print_line(text)
    assert capsys.readouterr().out == f"{shown}\n"


def test_every_table_of_texts_is_printed_so():
    own = {"tables.py", "status.py"}  # the latter draws a screen of numbers, again and again
    others = [path for path in CLI.rglob("*.py") if path.name not in own]
    assert [path.name for path in others if re.search(r"\bTable\(|Console\(\)\.print", path.read_text(encoding="utf-8"))] == []
