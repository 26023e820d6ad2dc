"""The spool's file: SQLite in WAL mode with synchronous=FULL, so that a finished commit is on the disk and survives any kill.

All records of a commit share a row: a row per record would take and release the interpreter's lock for each. Every row carries a
checksum of its own, because SQLite guards its log against torn writes, but not the pages of its file.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from connectors.kafka.publisher import OutboundRecord
from schemas.errors import InvalidRecord, Unavailable

_GROUP_BYTES: Final = 1 << 20  # of one row, about: the drainer sends a row at a time
_SHRINK_PAGES: Final = 1024  # an emptied file larger than 16 MB is given back to the disk
_WAL_PAGES: Final = 1000  # 16 MB of log between checkpoints, each of which delays the commits after it
_PAGE_BYTES: Final = 16_384  # a third of the cost of 4 kB pages for groups of posts, and no great waste for a single one
_BUSY_S: Final = 5.0
_SCHEMA: Final = """
create table if not exists waiting (
    id integer primary key autoincrement, size integer not null, sum integer not null, data blob not null
);
create table if not exists aside (
    id integer primary key autoincrement, size integer not null, sum integer not null, data blob not null, reason text not null
);
"""
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[OutboundRecord])
_REFUSED: Final = "refused"
_DAMAGED: Final = "damaged"


class SpoolDamaged(InvalidRecord):
    """A file is not a readable spool any more; it still holds what can be recovered."""


class SpoolFailed(Unavailable):
    """The disk did not persist a write."""


class RecordGroup(NamedTuple):
    """Records that were committed together, and the bytes they count for."""

    id: int
    size: int
    records: list[OutboundRecord]


class SpoolRead(NamedTuple):
    """Groups that were read, and the bytes of those that were set aside because they are damaged."""

    groups: list[RecordGroup]
    damaged_bytes: int


class SpoolFile:
    """One open spool file, for one thread. Every method raises `SpoolFailed` or `SpoolDamaged`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.touch(mode=0o600)  # what waits here is personal data; SQLite gives its log the same mode
            # only one thread at a time uses the connection, but not always the one that opened it
            self._database = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_S, check_same_thread=False)
        except (sqlite3.Error, OSError) as error:
            raise _failure(path, error) from error
        try:
            for pragma in (
                f"page_size={_PAGE_BYTES}",
                "journal_mode=wal",
                "synchronous=full",
                f"wal_autocheckpoint={_WAL_PAGES}",
                "secure_delete=off",  # some builds overwrite deleted rows with zeros: three times the bytes to the disk
            ):
                self._run(f"pragma {pragma}")
            for statement in _SCHEMA.split(";"):
                self._run(statement)
            # Kafka may have refused them because of a setting that has been fixed since
            self._run("insert into waiting (size, sum, data) select size, sum, data from aside where reason = ?", (_REFUSED,))
            self._run("delete from aside where reason = ?", (_REFUSED,))
        except (SpoolFailed, SpoolDamaged):
            self._database.close()
            raise

    def waiting_bytes(self) -> int:
        """Count the bytes that wait."""
        return int(self._run("select coalesce(sum(size), 0) from waiting")[0][0])

    def aside_groups(self) -> int:
        """Count the groups that can be neither sent nor read."""
        return int(self._run("select count(*) from aside")[0][0])

    def append(self, batches: Iterable[Sequence[OutboundRecord]], acknowledged: Sequence[int] = ()) -> list[RecordGroup]:
        """Commit all records, and delete acknowledged groups, in one transaction and one fsync; return the new groups."""
        self._run("begin immediate")
        try:
            groups = [self._insert("waiting", records, size) for records, size in _groups(batches)]
            self._delete(acknowledged)
            self._run("commit")
        except BaseException:
            self._roll_back()
            raise
        return groups

    def read(self, after: int, limit_bytes: int) -> SpoolRead:
        """Read groups after that id, at least one if there is one; set aside those whose checksum is wrong."""
        groups: list[RecordGroup] = []
        damaged_bytes = 0
        while limit_bytes > 0:
            rows = self._run("select id, size, sum, data from waiting where id > ? order by id limit 1", (after,))
            if not rows:
                break
            after, size, checksum, data = rows[0]
            limit_bytes -= size
            records = decode_group(data, checksum)
            if records is None:
                self._set_aside(after, _DAMAGED)
                damaged_bytes += size
            else:
                groups.append(RecordGroup(after, size, records))
        return SpoolRead(groups, damaged_bytes)

    def replace(self, group: RecordGroup, remaining: Sequence[OutboundRecord], rejected: Sequence[OutboundRecord]) -> None:
        """Replace a group by the records that remain to be sent, and set aside those that Kafka rejected."""
        self._run("begin immediate")
        try:
            if remaining:
                data = _ENCODER.encode(remaining)
                self._run(
                    "update waiting set size = ?, sum = ?, data = ? where id = ?",
                    (_size(remaining), zlib.crc32(data), data, group.id),
                )
            else:
                self._delete([group.id])
            if rejected:
                self._insert("aside", list(rejected), _size(rejected), _REFUSED)
            self._run("commit")
        except BaseException:
            self._roll_back()
            raise

    def shrink(self) -> None:
        """Give an emptied file's space back to the disk."""
        pages = int(self._run("pragma page_count")[0][0])
        if pages > _SHRINK_PAGES and not self._run("select 1 from waiting limit 1"):
            self._run("vacuum")
            self._run("pragma wal_checkpoint(truncate)")

    def wipe(self) -> None:
        """Rewrite the file with what waits in it alone: what was drained leaves its free pages and its log."""
        self._run("vacuum")
        self._run("pragma wal_checkpoint(truncate)")

    def close(self) -> None:
        """Close the file; SQLite folds its log into it."""
        self._database.close()

    def _insert(self, table: str, records: list[OutboundRecord], size: int, *reason: str) -> RecordGroup:
        data = _ENCODER.encode(records)
        values = (size, zlib.crc32(data), data, *reason)
        columns = "size, sum, data" + (", reason" if reason else "")
        statement = f"insert into {table} ({columns}) values ({', '.join('?' * len(values))})"  # noqa: S608  # our own names
        try:
            number = self._database.execute(statement, values).lastrowid
        except sqlite3.Error as error:
            raise _failure(self.path, error) from error
        return RecordGroup(number or 0, size, records)

    def _delete(self, ids: Sequence[int]) -> None:
        if ids:  # one statement: each takes and releases the interpreter's lock
            self._run(f"delete from waiting where id in ({','.join(map(str, ids))})")  # noqa: S608  # whole numbers

    def _set_aside(self, group: int, reason: str) -> None:
        self._run("begin immediate")
        self._run(
            "insert into aside (size, sum, data, reason) select size, sum, data, ? from waiting where id = ?", (reason, group)
        )
        self._delete([group])
        self._run("commit")

    def _roll_back(self) -> None:
        if self._database.in_transaction:
            try:
                self._database.execute("rollback")
            except sqlite3.Error:  # SQLite has rolled back by itself; the caller is raising the first error
                return

    def _run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(statement, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise _failure(self.path, error) from error


def _groups(batches: Iterable[Sequence[OutboundRecord]]) -> Iterable[tuple[list[OutboundRecord], int]]:
    """Join batches into rows of bounded size, each with its bytes; a batch is never split."""
    group: list[OutboundRecord] = []
    size = 0
    for batch in batches:
        if size >= _GROUP_BYTES:
            yield group, size
            group, size = [], 0
        group += batch
        size += _size(batch)
    if group:
        yield group, size


def _size(records: Sequence[OutboundRecord]) -> int:
    return sum([record.size for record in records])


def decode_group(data: bytes, checksum: int) -> list[OutboundRecord] | None:
    """Return the records of a row, or None where it does not read back as written."""
    if zlib.crc32(data) != checksum:
        return None
    try:
        return _DECODER.decode(data)
    except msgspec.MsgspecError:
        return None


def _failure(path: Path, error: Exception) -> SpoolFailed | SpoolDamaged:
    text = f"{path}: {error}"
    if isinstance(error, sqlite3.DatabaseError) and error.sqlite_errorcode in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return SpoolDamaged(f"the spool is damaged ({text}); it is moved aside, keep it until its posts are recovered")
    return SpoolFailed(f"the spool's disk does not keep what is written ({text}); look for a full disk or a failing device")
