"""What agents' tables have of an object, as registers that can be compared with a reading: one function for each kind of row."""

from typing import Final

from schemas.intercom.conversations import ConversationRow
from schemas.intercom.rest_objects import Reading
from schemas.profiles.registers import ERASED, Registers, SourceRecordRow
from streams.agents.conversations.agent import ROWS as CONVERSATION_ROWS
from streams.agents.open_record import OpenRecord
from streams.agents.source_records import ROW
from streams.core.conversations.erased import erased_contacts, without_contacts
from streams.core.conversations.observation import TICKET_MARK, read
from streams.core.conversations.row import without_details
from streams.core.records import packing
from streams.core.records.registers import active_edges


class ErasedRow:
    """In place of the registers of an erased record."""


ERASED_ROW: Final = ErasedRow()
RowRegisters = Registers | ErasedRow | None


def source_record(value: bytes) -> RowRegisters:
    """Return the registers of a contact or company; None for a row of something else."""
    row = ROW.decode(value)
    if not isinstance(row, SourceRecordRow):
        return None
    return ERASED_ROW if row.assignment.number == ERASED.number else OpenRecord(row).registers


def conversation(value: bytes) -> RowRegisters:
    """Return the registers of a conversation or a ticket, which have one table; None for a row of something else, such as a part."""
    row = CONVERSATION_ROWS.decode(value)
    return packing.decode(row.registers) if isinstance(row, ConversationRow) else None


def is_ticket(registers: Registers) -> bool:
    """Say whether a conversation is a ticket."""
    return any(name == TICKET_MARK for name, _ in active_edges(registers))


def is_no_ticket(registers: Registers) -> bool:
    """Say whether a conversation is none."""
    return not is_ticket(registers)


def kept_of_conversation(row: Registers, asserted: Registers) -> Registers:
    """Return what of a reading can be compared with a row: not who is erased, and no details, which a row may have lost by a policy.

    Whatever changes in a conversation changes its time too, so a change of details is not overlooked.
    """
    return without_contacts(without_details(asserted), erased_contacts(row))


def observed_conversation(reading: Reading) -> Registers:
    """Return what a reading of a conversation or a ticket asserts. Raises InvalidRecord as the agent does."""
    return read(reading).registers
