"""One changelog partition on its way into a store: what is read, how far, and whether the store can be relied on.

A store with a bookmark is read on from there, if the log still has that very record; what else it holds was true at that record, and
reading the rest in order makes it true now. One thing could be missed: a row deleted after the bookmark whose tombstone has been
compacted away. Tombstones are kept for `delete.retention.ms`, so a bookmark older than that counts only if nothing follows it.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from schemas.errors import StoreFailed
from streams.engine.tables import commit_state as positions
from streams.engine.tables.commit_state import CommitState
from streams.engine.tables.store import Bookmark, Store


class Restoration:
    """A changelog partition that is read into a store. `oldest` is how old a bookmark may be, `now` when reading begins (ms)."""

    def __init__(self, store: Store, *, oldest: float, now: int = 0, log_begins: int = 0, log_ends: int = 0) -> None:
        self.store = store
        self.commit_state = CommitState()
        self.records = 0
        self.failed: StoreFailed | None = None
        self.cut_at = 0 if store.bookmark is not None else log_begins  # where a log begins that cannot give the table back, or 0
        self.as_of = now if store.bookmark is None else store.bookmark.as_of
        self.begins = log_begins if store.bookmark is None else store.bookmark.offset
        self.at = self.begins
        self.ends = log_ends
        self._now = now
        self._log_begins = log_begins
        self._awaited = store.bookmark
        self._stale = store.bookmark is not None and self.as_of < oldest

    @property
    def start_offset(self) -> int | None:
        """Where to read: the bookmark's own record, which must be seen again, or None for the log's beginning."""
        return None if self._awaited is None else self._awaited.offset

    @property
    def abandoned(self) -> bool:
        """Say whether reading on is of no use."""
        return self.failed is not None or self.cut_at > 0

    @property
    def unverified(self) -> bool:
        """Say whether the log has not shown the bookmark's record."""
        return self._awaited is not None

    def start_over(self) -> None:
        """Forget what the store held, to be read from the log's beginning; where the log has lost that, the store may be the last copy."""
        if self._log_begins > 0:
            self.cut_at = self._log_begins
            return
        self.store.clear()
        self.commit_state, self.records = CommitState(), 0
        self.begins = self.at = self._log_begins
        self.as_of = self._now
        self._awaited, self._stale = None, False

    def take(self, records: Sequence[Any]) -> bool:
        """Apply changelog records in order; values stay bytes. False means that the store cannot be trusted: start over."""
        if self._awaited is not None and not _is(records[0], self._awaited):
            return False
        self._awaited = None
        self.records += len(records)
        if self._stale and self.records > 1:
            return False
        changes: dict[str, bytes | None] = {}
        stood: bytes | None = None
        for record in records:
            if record.key == positions.KEY:
                stood = record.value
            else:
                changes[record.key.decode()] = record.value
        if stood is not None:
            self.commit_state = positions.decode(stood)
        self.store.apply(changes, _bookmark(records[-1], self.as_of))
        return True

    def mark_stale(self, oldest: float) -> None:
        """Doubt what was read if it is older than tombstones are kept: the process may have stood still."""
        self._stale = self._stale or self.as_of < oldest

    def settle(self) -> None:
        """Note in the store since when nothing was missed, for whoever reads on from it."""
        if self.store.bookmark is not None and not self.unverified:
            self.store.apply({}, msgspec.structs.replace(self.store.bookmark, read=self.as_of))


def _bookmark(record: Any, read: int) -> Bookmark:
    return Bookmark(record.offset, record.timestamp, _content(record), read)


def _is(record: Any, bookmark: Bookmark) -> bool:
    return (record.offset, record.timestamp, _content(record)) == (bookmark.offset, bookmark.timestamp, bookmark.content)


def _content(record: Any) -> bytes:
    """Return what tells the record from another: a row may be large, and its bytes are nobody's business here."""
    if record.key == positions.KEY:
        return bytes(record.value)
    return hashlib.blake2b(record.key + b"\0" + (record.value or b""), digest_size=16, person=b"row").digest()
