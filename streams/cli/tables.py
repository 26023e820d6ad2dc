"""Tables for people, of texts that others chose. A pipe or a file has no width, so nothing is cut there."""

from typing import Any, Final

from rich.console import Console
from rich.table import Table

from streams.cli.lines import visible

_UNBOUNDED: Final = 400  # columns


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
