"""A staff file as lines of named cells: CSV with a header, or NDJSON with an object per line."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from schemas.canonical import digest
from schemas.errors import InvalidRecord

_DELIMITERS: Final = ",;\t"
_JSON_SUFFIXES: Final = (".ndjson", ".jsonl", ".json")
_LONGEST_CELL: Final = 1 << 20  # characters; the csv module's own limit is no help against a file that is no CSV


class StaffLine(NamedTuple):
    """One row: the line it begins on, and its cells by column; `fault` where the line itself is broken."""

    number: int
    cells: dict[str, Any]
    error: str | None = None

    def __repr__(self) -> str:
        return f"Line({self.number})"


class StaffFile(NamedTuple):
    """A file read: its name without folders, the SHA-256 of its bytes, its rows, and the columns of its header if it has one."""

    name: str
    sha256: str
    lines: list[StaffLine]
    columns: tuple[str, ...] = ()


def read(path: Path) -> StaffFile:
    """Read a file. Raises InvalidRecord where it cannot be read at all; what is wrong with single rows stands in them."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidRecord(f"{path.name} cannot be read: {error.strerror}. Is the path right?") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InvalidRecord(f"{path.name} is not UTF-8 (line {line}); save it as 'CSV UTF-8'") from None
    if path.suffix.lower() in _JSON_SUFFIXES:
        return StaffFile(path.name, digest(data), list(_ndjson(text)))
    try:
        columns, reader = _header(text)
        return StaffFile(path.name, digest(data), list(_csv(columns, reader)), columns)
    except csv.Error as error:
        raise InvalidRecord(f"{path.name} is no CSV: {error}") from None


def _header(text: str) -> tuple[tuple[str, ...], Any]:
    csv.field_size_limit(_LONGEST_CELL)
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns = tuple(column.strip() for column in next(reader, []))
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice:
        raise InvalidRecord(f"the header has '{twice[0]}' more than once; rename one of them")
    if not any(columns):
        raise InvalidRecord("the file has no header; its first line names the columns")
    return columns, reader


def _csv(columns: tuple[str, ...], reader: Any) -> Iterator[StaffLine]:
    began = reader.line_num + 1
    for cells in reader:
        number, began = began, reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        fault = None if len(cells) == len(columns) else f"{len(cells)} cells where the header has {len(columns)}"
        yield StaffLine(number, dict(zip(columns, cells, strict=False)), fault)


def _ndjson(text: str) -> Iterator[StaffLine]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            yield StaffLine(number, {}, "no JSON")
            continue
        yield StaffLine(number, value) if isinstance(value, dict) else StaffLine(number, {}, "no JSON object")
