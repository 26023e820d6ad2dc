"""The registers in a row of a table. A row that cannot be read is not the fault of the event that needs it: the process stops."""

from collections.abc import Callable

from schemas.errors import InvalidRecord
from schemas.profiles.registers import EncodedRegisters, Registers, SourceRecordRow
from streams.core.records.packing import decode, decode_edges
from streams.engine.agent import unreadable_row


def stored_registers(row: SourceRecordRow) -> Registers:
    """Return the registers of a row. Raises MustStop where they cannot be read."""
    return _read(decode, row)


def stored_edges(row: SourceRecordRow) -> Registers:
    """Return the edges and marks of a row alone. Raises MustStop where they cannot be read."""
    return _read(decode_edges, row)


def _read(decode_registers: Callable[[EncodedRegisters], Registers], row: SourceRecordRow) -> Registers:
    try:
        return decode_registers(row.registers)
    except InvalidRecord as error:
        raise unreadable_row(error) from error
