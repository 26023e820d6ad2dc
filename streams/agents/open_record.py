"""The row of a source record while a step works on it: what of it is needed is decoded once.

A row that cannot be read is not the fault of the event that needs it: the process stops.
"""

from collections.abc import Callable

from schemas.errors import InvalidRecord
from schemas.profiles.registers import EncodedRegisters, Registers, SourceRecordRow
from streams.core.records.packing import decode, decode_edges
from streams.engine.agent import unreadable_row


class OpenRecord:
    """A row with its registers. Both properties raise MustStop where these cannot be read."""

    __slots__ = ("_registers", "row")

    def __init__(self, row: SourceRecordRow, registers: Registers | None = None) -> None:
        self.row = row
        self._registers = registers

    @property
    def registers(self) -> Registers:
        """Return the registers."""
        if self._registers is None:
            self._registers = _read(decode, self.row)
        return self._registers

    @property
    def edges(self) -> Registers:
        """Return registers that have at least the edges and marks: these alone are decoded in half the time."""
        return _read(decode_edges, self.row) if self._registers is None else self._registers


def _read(decode_registers: Callable[[EncodedRegisters], Registers], row: SourceRecordRow) -> Registers:
    try:
        return decode_registers(row.registers)
    except InvalidRecord as error:
        raise unreadable_row(error) from error
