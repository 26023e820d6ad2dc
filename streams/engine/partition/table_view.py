"""A step's view of its table: the transaction's changes above committed values. The store stays unchanged until the commit."""

from collections.abc import Iterator
from heapq import merge
from typing import Generic, TypeVar

from sortedcontainers import SortedList

from schemas.errors import MustStop
from schemas.versioned import HIGHEST, Versioned
from streams.engine.agent import Codec, unreadable_row
from streams.engine.tables.store import Store, key_of

T = TypeVar("T")
Savepoint = tuple[dict[str, T | None], SortedList] | None
"""What `TableView.savepoint` returns."""


class TableView(Generic[T]):
    """Implement `streams.engine.agent.Table` over a store.

    A value is decoded once per transaction, at its first use, and a changed one encoded once, however often it was put.
    """

    def __init__(self, store: Store, codec: Codec[T]) -> None:
        self._store = store
        self._codec = codec
        self._read: dict[str, T] = {}
        self._changed: dict[str, T | None] = {}
        self._ordered = SortedList()  # keys of items that were put: the cost of a walk depends only on what it yields
        self._unordered: set[str] = set()  # those put since the last walk that met any: most steps never pay for the order
        self._changed_groups: set[str] = set()  # groups with changes: a walk of another one looks at the store alone
        self._gone: dict[
            str, str
        ] = {}  # by group, up to where all that the store has is deleted: a queue is emptied from its front

    def get(self, group: str, item: str = "") -> T | None:
        key = f"{group}|{item}" if item else group
        if key in self._changed:
            return self._changed[key]
        value = self._read.get(key)
        if value is None:
            data = self._store.get(key)
            if data is None:
                return None
            value = self._read[key] = self._decode(data)
        return value

    def put(self, group: str, item: str, value: T) -> None:
        if group not in self._changed_groups:
            if "|" in group:
                raise ValueError("a table's group holds no '|': it separates the group from the item in keys")
            self._changed_groups.add(group)
        key = f"{group}|{item}" if item else group
        if item and self._changed.get(key) is None:
            self._unordered.add(key)
        self._changed[key] = value

    def delete(self, group: str, item: str = "") -> None:
        key = key_of(group, item)
        there = self._changed[key] if key in self._changed else self._store.get(key)  # not decoded: it is to go
        if there is None:
            return
        if item:
            if key in self._changed:  # only what was put here is in one of the two
                self._unordered.discard(key)
                self._ordered.discard(key)
            self._changed_groups.add(group)
        self._changed[key] = None

    def walk(self, group: str, after: str = "") -> Iterator[tuple[str, T]]:
        read, prefix = self._read, f"{group}|"
        for item, data in self._walk(group, after):
            key = prefix + item
            if data is None:
                yield item, self._changed[key]  # type: ignore[misc]  # it was put
                continue
            value = read.get(key)
            if value is None:
                value = read[key] = self._decode(data)
            yield item, value

    def items(self, group: str, after: str = "") -> Iterator[str]:
        return (item for item, _ in self._walk(group, after))

    def _walk(self, group: str, after: str) -> Iterator[tuple[str, bytes | None]]:
        """Yield the items in order, each with its committed bytes, None where the transaction put it."""
        if group not in self._changed_groups:
            yield from self._store.walk(group, after)
            return
        put = self._items_put(group, after)
        pending = next(put, None)
        for item, data in self._committed(group, after):
            while pending is not None and pending < item:
                yield pending, None
                pending = next(put, None)
            if pending == item:
                yield item, None
                pending = next(put, None)
            else:
                yield item, data
        while pending is not None:
            yield pending, None
            pending = next(put, None)

    def groups(self, after: str = "") -> Iterator[str]:
        changed = sorted(key for key in self._changed if "|" not in key and key > after)
        last = None
        for group in merge(self._store.groups(after), changed):
            if group != last and self._changed.get(group, ...) is not None:
                yield group
            last = group

    def changes(self, encoding: int = HIGHEST, since: Savepoint[T] = None) -> dict[str, bytes | None]:
        """Return the changes to write: values in that encoding, None for a deleted row."""
        codec = self._codec
        encode = codec.encoder(encoding) if isinstance(codec, Versioned) else codec.encode
        changed = self._changed
        if since is not None:
            before = since[0]
            changed = {key: value for key, value in changed.items() if key not in before or before[key] is not value}
        return {key: None if value is None else encode(value) for key, value in changed.items()}

    def savepoint(self) -> Savepoint[T]:
        """Remember the changes so far, for `rollback`; None while there are none, so that the usual case copies nothing."""
        if not self._changed:
            return None
        return dict(self._changed), self._in_order().copy()

    def rollback(self, savepoint: Savepoint[T]) -> None:
        """Undo the changes made since `savepoint`."""
        self._changed, self._ordered = savepoint if savepoint is not None else ({}, SortedList())
        self._unordered, self._gone = set(), {}  # groups that have changed no more stay: they only save work

    def _items_put(self, group: str, after: str) -> Iterator[str]:
        start = len(group) + 1
        beyond = f"{group}}}"  # the character after the bar
        for key in self._in_order().irange(f"{group}|{after}", beyond, inclusive=(False, False)):
            if self._changed[key] is not None:
                yield key[start:]

    def _committed(self, group: str, after: str) -> Iterator[tuple[str, bytes]]:
        """Yield the items that the store has and the transaction has not deleted, with the committed bytes of those that were put."""
        gone, changed, prefix = self._gone.get(group, ""), self._changed, f"{group}|"
        at_front = after <= gone
        for item, data in self._store.walk(group, max(after, gone)):
            if changed.get(prefix + item, ...) is None:
                if at_front:
                    self._gone[group] = item
                continue
            at_front = False
            yield item, data

    def _in_order(self) -> SortedList:
        if self._unordered:
            self._ordered.update(self._unordered)
            self._unordered = set()
        return self._ordered

    def _decode(self, data: bytes) -> T:
        """Decode a row. An unreadable row is not the fault of the record being processed, so it makes no dead letter."""
        try:
            return self._codec.decode(data)
        except MustStop:
            raise
        except Exception as error:
            raise unreadable_row(error) from error
