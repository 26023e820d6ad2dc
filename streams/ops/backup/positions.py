"""Positions in a restored log: where a reader that had come to an offset continues."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from connectors.backup.record_file import StoredRecord

Wanted = Mapping[tuple[str, int], Iterable[int]]
"""Positions by topic and partition."""

_END: Final = 2**63 - 1


class PositionTranslation:
    """Positions of one partition: each is the number of records before it, once all records went through `observe`."""

    def __init__(self, wanted: Iterable[int]) -> None:
        self._left = [*sorted(set(wanted), reverse=True)]
        self._found: dict[int, int] = {}

    def observe(self, records: Iterable[StoredRecord]) -> Iterator[StoredRecord]:
        """Yield the records, and note which positions they pass."""
        count = 0
        for record in records:
            self._pass(record.offset, count)
            yield record
            count += 1
        self._pass(_END, count)

    def __getitem__(self, position: int) -> int:
        """Return where that position is now."""
        return self._found[position]

    def _pass(self, offset: int, count: int) -> None:
        while self._left and self._left[-1] <= offset:
            self._found[self._left.pop()] = count
