"""Look into the spool files of this host without taking part: what waits there, and what was set aside."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from connectors.kafka.publisher import OutboundRecord
from connectors.spool.claims import damaged_files
from connectors.spool.file import decode_group


class SpooledRecord(NamedTuple):
    """A record in a spool's file."""

    file: str
    record: OutboundRecord


class SpoolContents(NamedTuple):
    """The records in a folder's spools, and the files that cannot be read."""

    records: list[SpooledRecord]
    unreadable: list[str]


def spool_contents(folder: Path) -> SpoolContents:
    """Return what the spools in a folder hold. Nothing is changed; a process that uses a file is not disturbed."""
    records: list[SpooledRecord] = []
    unreadable = [path.name for path in damaged_files(folder)]
    for path in sorted(folder.glob("*.spool")):
        try:
            records += [SpooledRecord(path.name, record) for record in _records(path)]
        except sqlite3.Error:
            unreadable.append(path.name)
    return SpoolContents(records, unreadable)


def _records(path: Path) -> Iterator[OutboundRecord]:
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        for table in ("waiting", "aside"):
            for checksum, data in database.execute(f"select sum, data from {table} order by id"):  # noqa: S608  # our own names
                yield from decode_group(data, checksum) or ()
    finally:
        database.close()
