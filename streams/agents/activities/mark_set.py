"""A set of marks in a table: in one row while they are few, else in leaves by the binary digits they begin with.

Leaves are at least half full by average: the key of a leaf with few marks would take more than these. How many leaves there are follows from the number of marks alone, so equal sets are equal rows, whatever the order in which they came.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import product
from typing import Any, Final, NamedTuple

from schemas.activities.marks import Marks, find, pack, unpack
from schemas.activities.messages import MarkLeaf
from streams.engine.agent import Table

_LEAF: Final = 64  # marks: a change writes some 800 bytes at most
_RARELY: Final = 4  # times as many where a set changes rarely: the key of a leaf takes as much as ten marks
_BITS_OF: Final = {f"{byte:02x}": f"{byte:08b}" for byte in range(256)}


class MarkHeader(NamedTuple):
    """How many marks a set has, and these, packed, while there are no leaves."""

    number: int = 0
    marks: bytes = b""


class MarkSet:
    """The leaves of one set, larger ones where it changes `rarely`. Its header is in a row of the set's owner."""

    def __init__(self, table: Table[Any], group: str, base: str, width: int, *, rarely: bool = False) -> None:
        self._table = table
        self._group = group
        self._base = base
        self._width = width
        self._leaf_size = _LEAF * _RARELY if rarely else _LEAF

    def find(self, header: MarkHeader, mark: str) -> bytes | None:
        """Return what is kept with a mark, None where the set does not have it."""
        depth = self._depth(header.number)
        return find(self._leaf(_beginning(mark, depth)) if depth else header.marks, mark, self._width)

    def packed(self, header: MarkHeader) -> Iterator[bytes]:
        """Yield all marks, packed, some at a time."""
        depth = self._depth(header.number)
        if depth:
            yield from filter(None, (self._leaf(digits) for digits in _prefixes(depth)))
        elif header.marks:
            yield header.marks

    def changed(
        self, header: MarkHeader, added: Mapping[str, bytes], removed: Collection[str] = ()
    ) -> tuple[MarkHeader, dict[str, bytes]]:
        """Add and remove marks. Return the header afterwards, and the leaves that changed by item, empty where they are gone."""
        depth = self._depth(header.number)
        before = self._touched(header, depth, {*added, *removed})
        after = {digits: {**marks} for digits, marks in before.items()}
        for mark, kept in added.items():
            after[_beginning(mark, depth)][mark] = kept
        for mark in removed:
            after[_beginning(mark, depth)].pop(mark, None)
        number = header.number + sum(len(after[digits]) - len(before[digits]) for digits in after)
        if self._depth(number) != depth:
            after, before = self._divided(header, depth, self._depth(number), after)
        if not depth and not self._depth(number):
            return MarkHeader(number, pack(after[""])), {}
        leaves = {digits: pack(marks) for digits, marks in after.items() if digits and marks != before.get(digits)}
        for digits, data in leaves.items():
            self._put(digits, data)
        inline = b"" if self._depth(number) else pack(after[""])
        return MarkHeader(number, inline), {f"{self._base}|{digits}": data for digits, data in leaves.items()}

    def is_divided_alike(self, before: MarkHeader, after: MarkHeader) -> bool:
        """Return whether marks that are in both are in rows of the same items."""
        return self._depth(before.number) == self._depth(after.number)

    def cleared(self, header: MarkHeader) -> list[str]:
        """Delete all leaves, and return their items."""
        depth = self._depth(header.number)
        leaves = [digits for digits in _prefixes(depth) if self._leaf(digits)] if depth else []
        for digits in leaves:
            self._put(digits, b"")
        return [f"{self._base}|{digits}" for digits in leaves]

    def _touched(self, header: MarkHeader, depth: int, marks: Collection[str]) -> dict[str, Marks]:
        if not depth:
            return {"": unpack(header.marks, self._width)}
        return {digits: unpack(self._leaf(digits), self._width) for digits in {_beginning(mark, depth) for mark in marks}}

    def _divided(
        self, header: MarkHeader, depth: int, wanted: int, touched: dict[str, Marks]
    ) -> tuple[dict[str, Marks], dict[str, Marks]]:
        """Return the leaves by so many digits, given those that changed; and what is at all places now, by their digits."""
        if depth:
            before = {digits: unpack(self._leaf(digits), self._width) for digits in _prefixes(depth)}
        else:
            before = {"": unpack(header.marks, self._width)}
        after: dict[str, Marks] = {digits: {} for digits in before}
        for marks in {**before, **touched}.values():
            for mark, kept in marks.items():
                after.setdefault(_beginning(mark, wanted), {})[mark] = kept
        after.setdefault("", {})
        return after, {digits: marks for digits, marks in before.items() if digits and marks}

    def _depth(self, number: int) -> int:
        return max(0, (number - 1) // self._leaf_size).bit_length()

    def _leaf(self, digits: str) -> bytes:
        row = self._table.get(self._group, f"{self._base}|{digits}")
        return row.marks if isinstance(row, MarkLeaf) else b""

    def _put(self, digits: str, data: bytes) -> None:
        if data:
            self._table.put(self._group, f"{self._base}|{digits}", MarkLeaf(data))
        else:
            self._table.delete(self._group, f"{self._base}|{digits}")


def _beginning(mark: str, depth: int) -> str:
    """Return the binary digits that a mark begins with."""
    if depth <= 8:  # noqa: PLR2004  # the bits of a byte: sets of up to 16,384 marks
        return _BITS_OF[mark[:2]][:depth]
    return "".join(_BITS_OF[mark[at : at + 2]] for at in range(0, (depth + 7) // 8 * 2, 2))[:depth]


def _prefixes(depth: int) -> Iterator[str]:
    return ("".join(each) for each in product("01", repeat=depth))
