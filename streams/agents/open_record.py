"""The row of a source record while a step works on it: what of it is needed is decoded once.

A row that cannot be read is not the fault of the event that needs it: the process stops.
"""

from functools import lru_cache

import msgspec

from schemas.errors import InvalidRecord
from schemas.profiles.registers import Registers, SourceRecordRow
from streams.core.identity.claims import without_merges
from streams.core.records.packing import decode
from streams.engine.agent import unreadable_row


class OpenRecord:
    """A row with its registers. Its properties raise MustStop where these cannot be read."""

    __slots__ = ("_registers", "row")

    def __init__(self, row: SourceRecordRow, registers: Registers | None = None) -> None:
        self.row = row
        self._registers = registers

    @property
    def registers(self) -> Registers:
        """Return the registers."""
        if self._registers is None:
            try:
                self._registers = decode(self.row.registers)
            except InvalidRecord as error:
                raise unreadable_row(error) from error
        return self._registers

    @classmethod
    def remembered(cls, row: SourceRecordRow) -> "OpenRecord":
        """Return an open row whose registers another step may have decoded before. Raises MustStop where they cannot be read."""
        try:
            return cls(row, _remembered(bytes(row.registers)))
        except InvalidRecord as error:
            raise unreadable_row(error) from error

    @property
    def counting(self) -> Registers:
        """Return the registers without the merges that do not count."""
        return without_merges(self.registers, self.row.assignment.ignored)


@lru_cache(maxsize=1024)  # of profiles of many records: an event changes one of them, and all of them are resolved
def _remembered(registers: bytes) -> Registers:
    return decode(msgspec.Raw(registers))
