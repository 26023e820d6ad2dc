"""Many decisions from a CSV: read whole, refused whole with every bad line named, and shown before anything is decided."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import click
from rich.console import Console
from rich.table import Table

from schemas.errors import BadConfiguration, IntercomStreamsError, InvalidRecord
from streams.cli.decisions.account import Planned, content_of

T = TypeVar("T")
_SEPARATORS: Final = ",;\t"

file_option = click.option(
    "--file", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="CSV",
    help="Many at once. They are shown first; --yes decides them.",
)  # fmt: skip
yes_option = click.option("--yes", is_flag=True, help="Decide what --file has.")


def read_rows(path: Path, columns: Sequence[str], needed: Sequence[str], read: Callable[[dict[str, str]], T]) -> list[T]:
    """Return what `read` makes of each row. Raises BadConfiguration that names every line that cannot be read, with the reason."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidRecord(f"{path.name} cannot be read: {error.strerror}. Is it there, and may it be read?") from None
    except UnicodeDecodeError:
        raise InvalidRecord(f"{path.name} is no text in UTF-8. Save it as CSV with that encoding.") from None
    first = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=max(_SEPARATORS, key=first.count), strict=True)
    heads = [head.strip().casefold() for head in rows.fieldnames or ()]
    if missing := [column for column in needed if column not in heads]:
        raise BadConfiguration(f"{path.name} has no column {', '.join(missing)}. Its columns may be: {', '.join(columns)}.")
    if unknown := [head for head in heads if head not in columns]:
        raise BadConfiguration(f"{path.name} has a column {', '.join(unknown)}. Its columns may be: {', '.join(columns)}.")
    rows.fieldnames = heads
    return _read_each(path, rows, needed, read)


def _read_each(path: Path, rows: "csv.DictReader[str]", needed: Sequence[str], read: Callable[[dict[str, str]], T]) -> list[T]:
    found, problems = [], []
    try:
        for row in rows:
            values = {name: text.strip() for name, text in row.items() if isinstance(name, str) and isinstance(text, str)}
            if not any(values.values()):
                continue
            try:
                if empty := [name for name in needed if not values.get(name)]:
                    raise InvalidRecord(f"{', '.join(empty)} is empty")
                found.append(read(values))
            except (IntercomStreamsError, click.BadParameter) as error:
                problems.append(f"  line {rows.line_num}: {error}")
    except csv.Error as error:
        problems.append(f"  line {rows.line_num}: {error}")
    if problems:
        raise BadConfiguration(f"Nothing of {path.name} was decided:\n" + "\n".join(problems))
    if not found:
        raise BadConfiguration(f"{path.name} has no rows.")
    return found


def show_plan(planned: Sequence[Planned]) -> None:
    """Show what stands for each account, and what would."""
    table = Table("workspace", "account", "now", "then", box=None)
    for each in planned:
        before = content_of(each.before.fact) if each.before else None
        table.add_row(
            each.wanted.app_id, each.wanted.account, _short(before), _short(each.wanted.content) if each.fact else "as now"
        )
    Console().print(table)
    count = sum(each.fact is not None for each in planned)
    click.echo(f"Nothing is decided yet. The same command with --yes decides {count} of {len(planned)}.")


def _short(content: object) -> str:
    kind = getattr(content, "kind", None)
    return "-" if content is None else str(kind or content)
