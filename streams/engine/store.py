"""What one partition of a table holds after its last commit: values as bytes, by key, with the items of a group in order.

A key on the changelog is `group|item`, or the group alone for its own row.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from sortedcontainers import SortedSet


def key_of(group: str, item: str) -> str:
    """Spell a table key."""
    return f"{group}|{item}" if item else group


class Store(Protocol):
    """Committed state. `apply` gets whole transactions only."""

    def get(self, key: str) -> bytes | None: ...
    def walk(self, group: str, after: str) -> Iterator[tuple[str, bytes]]: ...
    def apply(self, changes: Mapping[str, bytes | None]) -> None: ...
    def __len__(self) -> int: ...


class MemoryStore:
    """A dictionary, with an index for those groups that have items."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._items: dict[str, SortedSet] = {}

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> bytes | None:
        return self._values.get(key)

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Yield everything, in no order."""
        return iter(self._values.items())

    def walk(self, group: str, after: str) -> Iterator[tuple[str, bytes]]:
        items = self._items.get(group)
        if items is not None:
            for item in items.irange(after, inclusive=(False, True)):
                yield item, self._values[f"{group}|{item}"]

    def apply(self, changes: Mapping[str, bytes | None]) -> None:
        for key, value in changes.items():
            if value is not None:
                self._put(key, value)
            else:
                self._delete(key)

    def _put(self, key: str, value: bytes) -> None:
        if key not in self._values:
            group, bar, item = key.partition("|")
            if bar:
                self._items.setdefault(group, SortedSet()).add(item)
        self._values[key] = value

    def _delete(self, key: str) -> None:
        if self._values.pop(key, None) is None:
            return
        group, bar, item = key.partition("|")
        if bar:
            items = self._items[group]
            items.discard(item)
            if not items:
                del self._items[group]
