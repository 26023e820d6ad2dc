"""Tables for people. A pipe or a file has no width, so nothing is cut there."""

from typing import Final

from rich.console import Console
from rich.table import Table

_UNBOUNDED: Final = 400  # columns


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal, or as it needs where there is none. Texts in it are shown as they are."""
    console = Console()
    (console if console.is_terminal else Console(width=_UNBOUNDED)).print(table, markup=False)
