"""What one partition of a table holds after its last commit: values as bytes, by key, with the items of a group in order.

A key on the changelog is `group|item`, or the group alone for its own row. A store is a copy of its changelog as far as a bookmark,
so whatever happens to it, it is brought back by reading on from there, or, where that is in doubt, from the beginning.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Protocol

import msgspec
from sortedcontainers import SortedList


def key_of(group: str, item: str) -> str:
    """Spell a table key."""
    return f"{group}|{item}" if item else group


class Bookmark(msgspec.Struct, frozen=True, array_like=True):
    """A changelog record up to which everything is applied.

    Position, time and content together are a record's identity. A log that holds this very record at this position is the one the
    store was made from: a topic made anew, or one cut back and written further, does not.
    """

    offset: int
    timestamp: int  # ms since 1970, the record's own
    content: bytes  # `streams.engine.tables.commit_state`, encoded; of a table row, where a restoration was broken off, a digest
    read: int = 0  # ms since 1970 when reading began, where the store was read from the log

    @property
    def as_of(self) -> int:
        """Return since when nothing can have been missed, in ms since 1970: what follows is younger than the record, or than the reading."""
        return max(self.timestamp, self.read)


class Store(Protocol):
    """Committed state. `apply` gets changes that are committed, in the log's order, and makes them true together with the bookmark.

    Changes beyond the bookmark do no harm: reading the log again from an older record ends at the same values.
    Every method may raise StoreFailed.
    """

    bookmark: Bookmark | None

    def get(self, key: str) -> bytes | None: ...
    def walk(self, group: str, after: str) -> Iterator[tuple[str, bytes]]: ...
    def apply(self, changes: Mapping[str, bytes | None], bookmark: Bookmark | None = None) -> None:
        """Make changes true; without a bookmark the one before stays."""

    def clear(self) -> None:
        """Forget everything."""

    def close(self) -> None:
        """Let go of it; nothing is asked of it afterwards. What is on disk stays there."""

    def __len__(self) -> int:
        """Count rows: exactly in memory, about on disk."""


OpenStore = Callable[[str, int], Awaitable[Store]]
"""Open the store of an agent's partition."""


async def open_memory_store(agent: str, partition: int) -> Store:
    """Implement `StoreOf` without a disk."""
    return MemoryStore()


class StandbyStores(Protocol):
    """Where copies of tables are kept whose partitions other workers own. None of it may be in an owner's way."""

    async def spare(self, agent: str, partition: int) -> Store:
        """Open a store to follow another's changelog into."""

    async def promoted(self, agent: str, partition: int, spare: Store) -> Store:
        """Make a spare the partition's own store; what that one held before is given up, unless it is further on."""

    def release(self, store: Store) -> Store | None:
        """Take what an owner used, and return it where it can go on as a spare."""


class MemoryStandbyStores:
    """A store in memory is nobody else's: it changes its part without moving."""

    async def spare(self, agent: str, partition: int) -> Store:
        return MemoryStore()

    async def promoted(self, agent: str, partition: int, spare: Store) -> Store:
        return spare

    def release(self, store: Store) -> Store | None:
        return store


class MemoryStore:
    """A dictionary, with its keys that have items in order: those of a group stand together.

    One order for all costs a reference for each row. One for each group, of which most are small, costs twenty times the row.
    """

    def __init__(self) -> None:
        self.bookmark: Bookmark | None = None
        self._values: dict[str, bytes] = {}
        self._ordered: SortedList = SortedList()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> bytes | None:
        return self._values.get(key)

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Yield everything, in no order."""
        return iter(self._values.items())

    def walk(self, group: str, after: str) -> Iterator[tuple[str, bytes]]:
        start = len(group) + 1
        for key in self._ordered.irange(
            f"{group}|{after}", f"{group}}}", inclusive=(False, False)
        ):  # the character behind the bar
            yield key[start:], self._values[key]

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
        self.bookmark = None

    def close(self) -> None:
        """Nothing is held that goes on without it."""

    def _delete(self, key: str) -> None:
        if self._values.pop(key, None) is not None and "|" in key:
            self._ordered.remove(key)
