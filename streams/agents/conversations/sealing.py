"""Seal conversations that are long over, when a round of checkpoints comes to them: by the time of the round's record, and by no clock."""

from schemas.activities.messages import RECORD, Participants, ParticipantsRecord
from schemas.codec import Avro
from schemas.ids import derived
from schemas.intercom.conversations import SEALED, SENT, ConversationRow, ConversationTableRow, Part, SealedParts, SentTo
from schemas.message import Message
from schemas.profiles.registers import PatchCause
from streams.agents.conversations.activities import send_to
from streams.agents.conversations.change import ConversationChange
from streams.agents.conversations.publication import Cause, publish
from streams.core.conversations.row import row_of, without_details
from streams.core.conversations.sealing import is_over, last_second, sealed
from streams.core.records import packing
from streams.engine.agent import Outbox, Table


def seal_of(key: str, table: Table[ConversationTableRow]) -> SealedParts | None:
    """Return the seal of a conversation, None where it has none."""
    row = table.get(key, SEALED)
    return row if isinstance(row, SealedParts) else None


def seal_if_over(avro: Avro, key: str, mark: Message, table: Table[ConversationTableRow], out: Outbox) -> None:
    """Seal a conversation, if the round comes long enough after its end: its row keeps figures and marks, and its contacts learn of it."""
    row = table.get(key)
    if not isinstance(row, ConversationRow):
        return
    registers = packing.decode(row.registers)
    before = seal_of(key, table)
    if not is_over(row, registers, mark.timestamp // 1000) or (
        before is not None and before.until >= last_second(row, registers)
    ):
        return
    items = [item for item, part in table.walk(key) if isinstance(part, Part)]
    for item in items:
        table.delete(key, item)
    table.put(key, SEALED, sealed(before, items, row.tallies, last_second(row, registers)))
    kept = without_details(registers)
    after = row_of(kept, row.tallies, row.offered)
    table.put(key, "", after)
    cause = Cause(derived(key, "sealed", last_second(row, registers)), mark.timestamp, None)
    publish(avro, key, ConversationChange(row, after, registers, kept), cause, out)
    sent = table.get(key, SENT)
    if isinstance(sent, SentTo):
        because = PatchCause(cause.event, mark.timestamp)
        participants = Participants(sent.number, sent.contacts)
        message = ParticipantsRecord(key, participants, sent.contacts, because, sent.deleted, sealed=True)
        for contact in sent.contacts:
            send_to(contact, f"={key}", RECORD.encode(message, out.encoding), cause, out)
