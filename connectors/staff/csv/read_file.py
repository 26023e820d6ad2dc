"""Reads a staff file into lines of named cells: CSV with a header, or NDJSON with an object per line."""

import codecs
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.canonical import digest
from schemas.errors import InvalidRecord

_DELIMITERS: Final = ",;\t"
_JSON_SUFFIXES: Final = (".ndjson", ".jsonl", ".json")
_MARKS: Final = MappingProxyType({codecs.BOM_UTF8: "UTF-8-sig", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"})
_MAX_CELL: Final = 1 << 20  # characters; bounds a file that is not CSV and would parse as one huge cell


class StaffLine(NamedTuple):
    """One row: its first line's number, and its cells by column; `error` where the line itself is malformed."""

    number: int
    cells: dict[str, Any]
    error: str | None = None

    def __repr__(self) -> str:
        return f"StaffLine({self.number})"


class StaffFile(NamedTuple):
    """The contents of a file: its name without folders, the SHA-256 of its bytes, its rows, and the columns of a CSV header."""

    name: str
    sha256: str
    lines: list[StaffLine]
    columns: tuple[str, ...] = ()


def read(path: Path, encoding: str = "") -> StaffFile:
    """Read a file. Raises InvalidRecord where the whole file cannot be read; a malformed row has an `error`.

    A byte order mark decides the encoding, then `encoding`, then UTF-8. None is guessed: most bytes are letters in each of them.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidRecord(f"{path.name} cannot be read: {error.strerror}. Is the path right?") from None
    text = _decoded(path, data, encoding)
    if path.suffix.lower() in _JSON_SUFFIXES:
        return StaffFile(path.name, digest(data), list(_ndjson(text)))
    try:
        columns, reader = _header(text)
        return StaffFile(path.name, digest(data), list(_csv(columns, reader)), columns)
    except csv.Error as error:
        raise InvalidRecord(f"{path.name} is no CSV: {error}") from None


def _decoded(path: Path, data: bytes, encoding: str) -> str:
    codec = next((codec for mark, codec in _MARKS.items() if data.startswith(mark)), encoding or "UTF-8")
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        hint = "look which encoding it has" if encoding else "if a spreadsheet on Windows wrote it, try --encoding cp1252"
        raise InvalidRecord(
            f"{path.name} is not {codec.removesuffix('-sig')} (line {line}); save it as 'CSV UTF-8', or {hint}"
        ) from None


def _header(text: str) -> tuple[tuple[str, ...], Any]:
    csv.field_size_limit(_MAX_CELL)
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns = tuple(column.strip() for column in next(reader, []))
    duplicates = sorted({column for column in columns if column and columns.count(column) > 1})
    if duplicates:
        raise InvalidRecord(f"the header has '{duplicates[0]}' more than once; rename one of them")
    if not any(columns):
        raise InvalidRecord("the file has no header; its first line names the columns")
    return columns, reader


def _csv(columns: tuple[str, ...], reader: Any) -> Iterator[StaffLine]:
    next_number = reader.line_num + 1
    for cells in reader:
        number, next_number = next_number, reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        error = None if len(cells) == len(columns) else f"{len(cells)} cells where the header has {len(columns)}"
        yield StaffLine(number, dict(zip(columns, cells, strict=False)), error)


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
