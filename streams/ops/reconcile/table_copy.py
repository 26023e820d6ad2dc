"""A workspace's rows of an agent's table, and what Intercom's lists have of it, in a temporary file: memory does not grow with either.

The file is removed from its folder as soon as it is open, so nothing of it is left by a crash.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from connectors.kafka.ranges import OffsetRange, open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.errors import Unavailable
from schemas.intercom.rest_objects import ReadAs, Reading

T = TypeVar("T")

_BATCH: Final = 2000
_TOGETHER: Final = 500
_OF_ITEMS: Final = b"|"  # in keys of rows below an object's own, such as the parts of a conversation: these are not compared
_TABLES: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE rows (key TEXT PRIMARY KEY, value BLOB, listed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE differing (key TEXT PRIMARY KEY, value BLOB, read_as TEXT, requested INTEGER, successor TEXT) WITHOUT ROWID;
"""


class TableCopy:
    """The copy of one table: of rows of objects, whose keys begin with one of `prefixes`. Methods that wait do their work in a thread."""

    def __init__(self, database: sqlite3.Connection, kafka: KafkaSettings, changelog: str, prefixes: tuple[str, ...]) -> None:
        self._database, self._kafka, self._changelog = database, kafka, changelog
        self._prefixes = tuple(each.encode() for each in prefixes)
        self._positions: dict[int, int] = {}

    async def follow(self) -> int:
        """Read the changelog up to its present end. Return how many rows of the copy were written."""
        written = 0
        async with open_ranges(self._kafka, self._kafka.topic(self._changelog)) as reader:
            bounds = await reader.bounds()
            ranges = {
                number: OffsetRange(max(self._positions.get(number, start), start), end)
                for number, (start, end) in bounds.items()
            }
            async for batch in reader.read(ranges, _BATCH):
                rows: list[tuple[str, bytes | None]] = [
                    (each.key.decode("utf-8", "replace"), each.value)
                    for each in batch.records
                    if each.key and each.key.startswith(self._prefixes) and _OF_ITEMS not in each.key
                ]
                await _in_thread(self._put_rows, rows)
                written += len(rows)
            self._positions = {number: end for number, (_, end) in bounds.items()}
        return written

    async def list_page(self, keys: list[str]) -> dict[str, bytes | None]:
        """Return the rows of these keys, and remember that a list of Intercom's has them."""
        return await _in_thread(self._list_page, keys)

    async def rows(self, keys: list[str]) -> dict[str, bytes | None]:
        """Return the rows of these keys."""
        return await _in_thread(self._rows, keys)

    async def unlisted(self) -> AsyncIterator[dict[str, bytes]]:
        """Yield the rows that no list of Intercom's has, some at a time."""
        last = ""
        while found := await _in_thread(self._unlisted, last):
            yield dict(found)
            last = found[-1][0]

    async def keep(self, readings: Iterable[Reading]) -> None:
        """Keep what differs from the table. A later reading of the same object takes the place of an earlier one."""
        values = [(each.key, each.value, each.read_as.value, each.requested_at, each.successor) for each in readings]
        await _in_thread(self._write, "INSERT OR REPLACE INTO differing VALUES (?, ?, ?, ?, ?)", values)

    async def drop(self, keys: Iterable[str]) -> None:
        """Forget differences."""
        await _in_thread(self._write, "DELETE FROM differing WHERE key = ?", [(key,) for key in keys])

    async def differing(self, app_id: str, type_: str) -> AsyncIterator[list[Reading]]:
        """Yield what differs from the table, some at a time. What is kept or dropped meanwhile may be left out."""
        last = ""
        while found := await _in_thread(self._differing, last):
            yield [
                Reading(
                    app_id=app_id, type=type_, entity=key.partition(":")[2], value=value,
                    read_as=ReadAs(read_as), requested_at=requested, successor=successor,
                )
                for key, value, read_as, requested, successor in found
            ]  # fmt: skip
            last = found[-1][0]

    def _write(self, statement: str, values: Sequence[tuple[Any, ...]]) -> None:
        """Run a statement for each of the values. Its cursor must end in the thread that used it: another may use the statement already."""
        self._database.executemany(statement, values).close()

    def _put_rows(self, rows: list[tuple[str, bytes | None]]) -> None:
        statement = "INSERT INTO rows (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        self._write(statement, rows)

    def _list_page(self, keys: list[str]) -> dict[str, bytes | None]:
        statement = "INSERT INTO rows (key, value, listed) VALUES (?, NULL, 1) ON CONFLICT (key) DO UPDATE SET listed = 1"
        self._write(statement, [(key,) for key in keys])
        return self._rows(keys)

    def _rows(self, keys: list[str]) -> dict[str, bytes | None]:
        return {key: self._row(key) for key in keys}

    def _row(self, key: str) -> bytes | None:
        found = self._database.execute("SELECT value FROM rows WHERE key = ?", (key,)).fetchone()
        return None if found is None else found[0]

    def _unlisted(self, after: str) -> list[Any]:
        statement = "SELECT key, value FROM rows WHERE key > ? AND NOT listed AND value IS NOT NULL ORDER BY key LIMIT ?"
        return self._database.execute(statement, (after, _TOGETHER)).fetchall()

    def _differing(self, after: str) -> list[Any]:
        return self._database.execute("SELECT * FROM differing WHERE key > ? ORDER BY key LIMIT ?", (after, _TOGETHER)).fetchall()


@asynccontextmanager
async def table_copy(kafka: KafkaSettings, changelog: str, prefixes: tuple[str, ...]) -> AsyncIterator[TableCopy]:
    """Yield an empty copy. Raises Unavailable where the temporary folder is full or cannot be written."""
    database = await _in_thread(_opened)
    try:
        yield TableCopy(database, kafka, changelog, prefixes)
    finally:
        await asyncio.to_thread(database.close)


def _opened() -> sqlite3.Connection:
    with tempfile.TemporaryDirectory(prefix="intercom-streams-") as folder:
        database = sqlite3.connect(Path(folder) / "copy", check_same_thread=False, isolation_level=None)
        database.executescript(_TABLES)
        return database


async def _in_thread(act: Callable[..., T], *arguments: Any) -> T:
    try:
        return await asyncio.to_thread(act, *arguments)
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(
            f"The comparison needs room for a copy of the table in {tempfile.gettempdir()}, and cannot write there ({error}). "
            "Make room, or set TMPDIR to a folder that has some"
        ) from error
