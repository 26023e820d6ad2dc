"""Many decisions from a CSV: read whole, refused whole with every bad line named, and shown before anything is decided."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import click
import msgspec

from schemas.access.facts import Classification
from schemas.errors import BadConfiguration, IntercomStreamsError, InvalidRecord
from schemas.json_lines import json_line
from streams.cli.decisions.account import Planned, Wanted, content_of
from streams.cli.decisions.made import words_of
from streams.cli.tables import TextTable, print_table

_SEPARATORS: Final = ",;\t"
_FURTHER: Final = "\0"  # no column's name: the cells of a row beyond the last column

file_option = click.option(
    "--file", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="CSV",
    help="Many at once. They are shown first; --yes decides them.",
)  # fmt: skip
yes_option = click.option("--yes", is_flag=True, help="Decide what --file has.")


def read_rows(
    path: Path, columns: Sequence[str], needed: Sequence[str], read: Callable[[dict[str, str]], Wanted]
) -> list[Wanted]:
    """Return what `read` makes of each row. Raises BadConfiguration that names every line that cannot be read, with the reason.

    An account stands in one row: of two, nobody could say which is right.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidRecord(f"{path.name} cannot be read: {error.strerror}. Is it there, and may it be read?") from None
    except UnicodeDecodeError:
        raise InvalidRecord(f"{path.name} is no text in UTF-8. Save it as CSV with that encoding.") from None
    first = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=max(_SEPARATORS, key=first.count), strict=True)
    try:
        heads = [head.strip().casefold() for head in rows.fieldnames or ()]
    except csv.Error as error:
        raise BadConfiguration(f"{path.name} is no CSV with a line of column names: {error}.") from None
    if missing := [column for column in needed if column not in heads]:
        raise BadConfiguration(f"{path.name} has no column {', '.join(missing)}. Its columns may be: {', '.join(columns)}.")
    if twice := sorted({head for head in heads if heads.count(head) > 1}):
        raise BadConfiguration(f"{path.name} has two columns {', '.join(twice)}. Leave one of each.")
    if unknown := [head for head in heads if head not in columns]:
        raise BadConfiguration(f"{path.name} has a column {', '.join(unknown)}. Its columns may be: {', '.join(columns)}.")
    rows.fieldnames, rows.restkey = heads, _FURTHER
    return _read_each(path, rows, needed, read)


def _read_each(
    path: Path, rows: "csv.DictReader[str]", needed: Sequence[str], read: Callable[[dict[str, str]], Wanted]
) -> list[Wanted]:
    found: dict[tuple[str, str], tuple[Wanted, int]] = {}
    problems = []
    try:
        for row in rows:
            values = {name: text.strip() for name, text in row.items() if isinstance(name, str) and isinstance(text, str)}
            further = [text for text in row.get(_FURTHER) or () if text.strip()]
            if not any(values.values()) and not further:
                continue
            try:
                if further:
                    raise InvalidRecord(
                        "it has more cells than there are columns. A cell with the separator in it stands in quotes"
                    )
                if empty := [name for name in needed if not values.get(name)]:
                    raise InvalidRecord(f"{', '.join(empty)} is empty")
                wanted = read(values)
                _, earlier = found.setdefault((wanted.app_id, wanted.account), (wanted, rows.line_num))
                if earlier != rows.line_num:
                    raise InvalidRecord(f"account {wanted.account} of {wanted.app_id} stands in line {earlier} too")
            except (IntercomStreamsError, click.BadParameter) as error:
                problems.append(f"  line {rows.line_num}: {error}")
    except csv.Error as error:
        problems.append(f"  line {rows.line_num + 1}: {error}")  # the number is that of the last line that could be read
    if problems:
        raise BadConfiguration(f"Nothing of {path.name} was decided:\n" + "\n".join(problems))
    if not found:
        raise BadConfiguration(f"{path.name} has no rows.")
    return [wanted for wanted, _ in found.values()]


class PlannedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What stands for an account, and what would; `changes` says whether that is another thing."""

    app_id: str
    account: str
    now: str
    then: str
    changes: bool

    def __repr__(self) -> str:
        return f"PlannedLine({self.app_id!r}, {self.account!r}, ***)"


def show_plan(planned: Sequence[Planned], names: Mapping[str, str], *, as_json: bool) -> None:
    """Show what stands for each account, and what would; staff is shown by these names, as SOURCE/RECORD by id."""
    lines = [_line(each, names) for each in planned]
    if as_json:
        for line in lines:
            click.echo(json_line(line))
        return
    table = TextTable("workspace", "account", "now", "then")
    for line in lines:
        table.add_row(line.app_id, line.account, line.now, line.then if line.changes else "as now")
    print_table(table)
    count = sum(line.changes for line in lines)
    click.echo(f"Nothing is decided yet. The same command with --yes decides {count} of {len(planned)}.")


def _line(planned: Planned, names: Mapping[str, str]) -> PlannedLine:
    wanted, before = planned.wanted, content_of(planned.before.fact) if planned.before else None
    return PlannedLine(
        app_id=wanted.app_id, account=wanted.account, now=_short(before, names), then=_short(wanted.content, names),
        changes=planned.fact is not None,
    )  # fmt: skip


def _short(content: str | Classification | None, names: Mapping[str, str]) -> str:
    if content is None:
        return "-"
    if isinstance(content, str):
        return names.get(content, content)
    owner = None if content.owner is None else names.get(content.owner, content.owner)
    return " ".join(words_of(msgspec.structs.replace(content, owner=owner)))
