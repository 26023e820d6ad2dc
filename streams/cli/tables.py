"""Tables and lines for people, of texts that others chose. A pipe or a file has no width, so nothing is cut there."""

import unicodedata
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

_UNBOUNDED: Final = 400  # columns
_JOINERS: Final = "\u200c\u200d"  # of no width, and part of words in Persian and Indic scripts, and of many an emoji


class TextTable(Table):
    """A table without borders whose texts are shown as they are, and command no terminal."""

    def __init__(self, *headers: str, **how: Any) -> None:
        super().__init__(*headers, box=None, **how)

    def add_row(self, *cells: Any, **how: Any) -> None:
        """Add a row."""
        super().add_row(*(visible(cell) if isinstance(cell, str) else cell for cell in cells), **how)


def print_table(table: TextTable) -> None:
    """Print a table as wide as the terminal, or as it needs where there is none."""
    console = Console()
    (console if console.is_terminal else Console(width=_UNBOUNDED)).print(table, markup=False)


def print_line(text: str, *, err: bool = False) -> None:
    """Print a line with a text that others chose: a teammate's name, somebody's reason."""
    click.echo(visible(text), err=err)


def print_lines(*lines: str) -> None:
    """Print lines with texts that others chose."""
    for line in lines:
        print_line(line)


def visible(text: str) -> str:
    """Return a text that a terminal shows and does not obey: what cannot be seen, or reverses what follows, is escaped."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return " " if unicodedata.category(character) == "Zs" else character.encode("unicode_escape").decode()
