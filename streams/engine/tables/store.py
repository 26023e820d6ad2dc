"""Stores: the rows of one partition of a table after its last commit, as bytes by key, with the items of a group in order.

A key on the changelog is `group|item`, or the group alone for its own row. A store is a copy of its changelog up to a bookmark,
so it can always be restored by reading from there, or, where the bookmark is in doubt, from the beginning.
"""

from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Protocol

import msgspec
from sortedcontainers import SortedList


def key_of(group: str, item: str) -> str:
    """Return a table key."""
    return f"{group}|{item}" if item else group


class Bookmark(msgspec.Struct, frozen=True, array_like=True):
    """A changelog record up to which everything is applied.

    Offset, timestamp and content together identify a record. Only the log from which the store was made has this record at this
    offset: a topic that was recreated, or truncated and written to again, does not.
    """

    offset: int
    timestamp: int  # ms since 1970, the record's own
    content: bytes  # the encoded commit state, or the digest of a table row where a restoration was interrupted
    read: int = 0  # ms since 1970 when reading began, if the store was read from the log

    @property
    def as_of(self) -> int:
        """The time (ms since 1970) since which nothing was missed: later ones are younger than this record or the reading."""
        return max(self.timestamp, self.read)


class Store(Protocol):
    """Committed rows. `apply` receives committed changes in the log's order and stores them together with the bookmark.

    Changes beyond the bookmark do no harm: reading the log again from an older record ends at the same values.
    Every method may raise StoreFailed.
    """

    bookmark: Bookmark | None

    def get(self, key: str) -> bytes | None: ...
    def walk(self, group: str, after: str) -> Iterator[tuple[str, bytes]]: ...
    def groups(self, after: str) -> Iterator[str]:
        """Yield the keys beyond `after` that are a group alone, in text order."""

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Yield all rows by key, in no order."""

    def apply(self, changes: Mapping[str, bytes | None], bookmark: Bookmark | None = None) -> None:
        """Store changes; without a bookmark the previous one stays."""

    def clear(self) -> None:
        """Delete all rows and the bookmark."""

    def close(self) -> None:
        """Close the store; no other method is called afterwards. Files on disk stay."""

    def __len__(self) -> int:
        """Return the number of rows: exact in memory, estimated on disk."""


OpenStore = Callable[[str, int], Awaitable[Store]]
"""Open the store of an agent's partition."""


async def open_memory_store(agent: str, partition: int) -> Store:
    """Implement `OpenStore` without a disk."""
    return MemoryStore()


class StandbyStores(Protocol):
    """Stores for copies of tables whose partitions other workers own. None of them may obstruct an owner."""

    async def open_standby(self, agent: str, partition: int) -> Store:
        """Open a store to follow another worker's changelog into."""

    async def promote(self, agent: str, partition: int, standby: Store) -> Store:
        """Make a standby the partition's own store; it replaces the previous one, unless that is further ahead."""

    def release(self, store: Store) -> Store | None:
        """Take an owner's store back, and return it where it can continue as a standby."""


class MemoryStandbyStores:
    """A store in memory belongs to this process alone: it becomes a standby, or the partition's own, as it is."""

    async def open_standby(self, agent: str, partition: int) -> Store:
        return MemoryStore()

    async def promote(self, agent: str, partition: int, standby: Store) -> Store:
        return standby

    def release(self, store: Store) -> Store | None:
        return store


class MemoryStore:
    """A dictionary, with the keys of items in one sorted list, where those of a group are adjacent.

    One list for all costs a reference for each row. A list for each group, of which most are small, costs twenty times the row.
    Groups are put in order when somebody goes through all of them, and their order is kept until that has ended.
    """

    def __init__(self) -> None:
        self.bookmark: Bookmark | None = None
        self._values: dict[str, bytes] = {}
        self._ordered: SortedList = SortedList()
        self._groups: list[str] | None = None

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> bytes | None:
        return self._values.get(key)

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Yield all rows, unordered."""
        return iter(self._values.items())

    def walk(self, group: str, after: str) -> Iterator[tuple[str, bytes]]:
        start = len(group) + 1
        keys = self._ordered.irange(f"{group}|{after}", f"{group}}}", inclusive=(False, False))  # the character after the bar
        for key in keys:
            yield key[start:], self._values[key]

    def groups(self, after: str) -> Iterator[str]:
        if self._groups is None or not after:
            self._groups = sorted(key for key in self._values if "|" not in key)
        groups = self._groups
        for at in range(bisect_right(groups, after), len(groups)):
            if groups[at] in self._values:
                yield groups[at]
        self._groups = None

    def apply(self, changes: Mapping[str, bytes | None], bookmark: Bookmark | None = None) -> None:
        values, new = self._values, []
        for key, value in changes.items():
            if value is None:
                self._delete(key)
            else:
                if key not in values and "|" in key:
                    new.append(key)
                values[key] = value
        if new:
            self._ordered.update(new)
        self.bookmark = bookmark or self.bookmark

    def clear(self) -> None:
        self._values.clear()
        self._ordered.clear()
        self._groups = None
        self.bookmark = None

    def close(self) -> None:
        """Do nothing: no resource outlives the object."""

    def _delete(self, key: str) -> None:
        if self._values.pop(key, None) is not None and "|" in key:
            self._ordered.remove(key)
