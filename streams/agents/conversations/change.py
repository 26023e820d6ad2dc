"""What a record changed in a conversation."""

from typing import NamedTuple

from schemas.intercom.conversations import ConversationRow
from schemas.profiles.registers import Registers


class ConversationChange(NamedTuple):
    """A conversation before and after what was observed, with the registers of both."""

    before: ConversationRow | None
    after: ConversationRow
    registers_before: Registers
    registers: Registers
