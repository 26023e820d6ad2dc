"""What a record changed in a conversation."""

from typing import NamedTuple

from schemas.intercom.conversations import ConversationRow, Part
from schemas.profiles.registers import Registers
from streams.core.conversations.parts import ObservedPart


class ShownPart(NamedTuple):
    """A part as a record showed it, as it is known afterwards, and whether that changed."""

    shown: ObservedPart
    known: Part
    changed: bool


class ConversationChange(NamedTuple):
    """A conversation before and after what was observed, with the registers of both, and the parts that were shown."""

    before: ConversationRow | None
    after: ConversationRow
    registers_before: Registers
    registers: Registers
    parts: tuple[ShownPart, ...] = ()

    @property
    def begins(self) -> bool:
        """Whether something is known of the beginning that was not known before."""
        return self.before is None or self.before.began != self.after.began
