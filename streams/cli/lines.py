"""Lines for people, of texts that others chose. Tables are in `streams/cli/tables.py`, which costs a command a library."""

import unicodedata
from typing import Final

import click

_JOINERS: Final = "\u200c\u200d"  # of no width, and part of words in Persian and Indic scripts, and of many an emoji


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
