"""The restoration of one store from its changelog partition: what is read, how far, and whether the store can be relied on.

A store with a bookmark is read on from there, if the log still has that very record; its other rows were right at that record,
and reading the rest in order makes them right now. One change could be missed: a row deleted after the bookmark whose tombstone
has been compacted away. Tombstones are kept for `delete.retention.ms`, so a bookmark older than that counts only if nothing
follows it.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from schemas.errors import StoreFailed
from streams.engine.tables import commit_state as commit_states
from streams.engine.tables.commit_state import CommitState
from streams.engine.tables.store import Bookmark, Store


class Restoration:
    """A changelog partition that is read into a store. `oldest` is how old a bookmark may be, `now` when reading begins (ms)."""

    def __init__(self, store: Store, *, oldest: float, now: int = 0, log_start: int = 0, log_end: int = 0) -> None:
        self.store = store
        self.commit_state = CommitState()
        self.records = 0
        self.failed: StoreFailed | None = None
        self.truncated_at = 0 if store.bookmark is not None else log_start  # the start of a log that lost rows, or 0
        self.as_of = now if store.bookmark is None else store.bookmark.as_of
        self.first_offset = log_start if store.bookmark is None else store.bookmark.offset
        self.position = self.first_offset
        self.end = log_end
        self._now = now
        self._log_start = log_start
        self._awaited = store.bookmark
        self._stale = store.bookmark is not None and self.as_of < oldest

    @property
    def start_offset(self) -> int | None:
        """Where to read: the offset of the bookmark's own record, which the log must show again, or None for the log's start."""
        return None if self._awaited is None else self._awaited.offset

    @property
    def abandoned(self) -> bool:
        """Say whether to read no further."""
        return self.failed is not None or self.truncated_at > 0

    @property
    def unverified(self) -> bool:
        """Say whether the log has not shown the bookmark's record."""
        return self._awaited is not None

    def start_over(self) -> None:
        """Clear the store, to be read from the log's start; if the log has lost its start, keep it: it may be the last copy."""
        if self._log_start > 0:
            self.truncated_at = self._log_start
            return
        self.store.clear()
        self.commit_state, self.records = CommitState(), 0
        self.first_offset = self.position = self._log_start
        self.as_of = self._now
        self._awaited, self._stale = None, False

    def apply(self, records: Sequence[Any]) -> bool:
        """Apply changelog records in order, values as bytes. Return False where the store cannot be trusted: then start over."""
        if self._awaited is not None and not _is(records[0], self._awaited):
            return False
        self._awaited = None
        self.records += len(records)
        if self._stale and self.records > 1:
            return False
        changes: dict[str, bytes | None] = {}
        commit_state: bytes | None = None
        for record in records:
            if record.key == commit_states.KEY:
                commit_state = record.value
            else:
                changes[record.key.decode()] = record.value
        if commit_state is not None:
            self.commit_state = commit_states.decode(commit_state)
        self.store.apply(changes, _bookmark(records[-1], self.as_of))
        return True

    def mark_stale(self, oldest: float) -> None:
        """Distrust the store if it is older than tombstones are kept: the process may have been frozen."""
        self._stale = self._stale or self.as_of < oldest

    def save_as_of(self) -> None:
        """Store the time since which nothing was missed, for the reader that continues from the bookmark."""
        if self.store.bookmark is not None and not self.unverified:
            self.store.apply({}, msgspec.structs.replace(self.store.bookmark, read=self.as_of))


def _bookmark(record: Any, read: int) -> Bookmark:
    return Bookmark(record.offset, record.timestamp, _content(record), read)


def _is(record: Any, bookmark: Bookmark) -> bool:
    return (record.offset, record.timestamp, _content(record)) == (bookmark.offset, bookmark.timestamp, bookmark.content)


def _content(record: Any) -> bytes:
    """Return what identifies the record: a digest for a row, because a row may be large and its bytes are not needed."""
    if record.key == commit_states.KEY:
        return bytes(record.value)
    return hashlib.blake2b(record.key + b"\0" + (record.value or b""), digest_size=16, person=b"row").digest()
