"""What the conversations agent stores: a row per conversation or ticket, and its parts, without their text.

A part is an item of its own under its id, so an event of a long conversation costs as much as one of a short one.
"""

from typing import Final, TypeAlias, Union

import msgspec

from schemas.profiles.registers import CheckpointRound, EncodedRegisters, PatchCause
from schemas.versioned import Versioned

CONVERSATION: Final = "conversation"
TICKET: Final = "ticket"


class Part(msgspec.Struct, frozen=True, array_like=True, tag="part"):
    """One part: its second (0 where it has none), Intercom's type of it, who wrote it, to whom it assigned, whether it had words, whether it is redacted.

    `author` and `assignee` are `KIND:ID`. A field that no payload had is empty. `shown` has a mark of 4 bytes for each form that its activity was
    sent in (`streams.core.conversations.forms`), in order.
    """

    second: int = 0
    kind: str = ""
    author: str = ""
    assignee: str = ""
    worded: bool = False
    redacted: bool = False
    shown: bytes = b""


class Tally(msgspec.Struct, frozen=True, array_like=True):
    """How many parts there are of a category, and the first and the last second of those that have a time; 0 where none has."""

    count: int
    first: int
    last: int


class ConversationRow(msgspec.Struct, frozen=True, array_like=True, tag="conversation"):
    """A conversation or a ticket: its registers (`streams.core.records.registers`), and tallies of its parts by category, in order.

    `offered` is the largest number of parts that one reading by id showed: Intercom shows the newest 500. `began` has the marks of what began it,
    as those of a part.
    """

    registers: EncodedRegisters
    tallies: tuple[tuple[str, Tally], ...] = ()
    offered: int = 0
    began: bytes = b""


class SentTo(msgspec.Struct, frozen=True, array_like=True, tag="sent"):
    """To whom a conversation's activities were last sent, under a number that rises with each change; `deleted` if that was sent too.

    It is history: it depends on the order of events.
    """

    number: int
    contacts: tuple[str, ...]
    deleted: bool = False


SENT: Final = "=sent"
"""The item of that row. Items of parts begin with a digit or a tilde."""


class SealedParts(msgspec.Struct, frozen=True, array_like=True, tag="sealed"):
    """What stays of the parts of a conversation that is long over: their tallies and their marks, packed (`schemas.activities.marks`).

    `until` is the second of the last of them. What is not later, and comes afterwards, is too late.
    """

    until: int
    tallies: tuple[tuple[str, Tally], ...]
    marks: bytes


SEALED: Final = "=sealed"
"""The item of that row."""

ConversationTableRow: TypeAlias = Union[ConversationRow, Part, SentTo, SealedParts, CheckpointRound]  # noqa: UP007 - this form has the name that errors show
"""A row of the table of the conversations agent: the conversation under the empty item, its parts under their ids."""


class ConversationCheckpoint(msgspec.Struct, frozen=True, array_like=True):
    """A row and some of its parts, written to `intercom.conversations` again before its limit deletes what they follow from."""

    registers: EncodedRegisters
    offered: int = 0
    parts: tuple[tuple[str, Part], ...] = ()
    sealed: SealedParts | None = None
    began: bytes = b""


CHECKPOINT: Final = Versioned(ConversationCheckpoint)
"""The codec of checkpoints on `intercom.conversations`."""


class ConversationErasure(msgspec.Struct, frozen=True, array_like=True):
    """That a conversation is to forget a contact, because of an event. The key names both: `app_id:conversation_id|contact id`."""

    cause: PatchCause


ERASURES_TOPIC: Final = "conversation.erasures"
ERASURE: Final = Versioned(ConversationErasure)
"""The codec of `conversation.erasures`."""
