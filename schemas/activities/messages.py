"""What the agents of activities send each other, and what their tables hold.

`activity.records` has a contact's activities, `app_id:contact_id|activity id`, with whom each conversation is, `…|=conversation`, and the
marks of activities whose details have expired, `…|=ITEM` with the item of their row. `activity.patches` has what changes in a profile's
activities because of one contact.
"""

from typing import Final, NamedTuple, TypeAlias, Union, cast

import msgspec

from schemas.activities.records import PersonActivity
from schemas.activities.retention import DayReached, RetentionInForce
from schemas.profiles.registers import Assignment, PatchCause
from schemas.versioned import Versioned

RECORDS_TOPIC: Final = "activity.records"
PATCHES_TOPIC: Final = "activity.patches"
ASSIGNMENTS_TOPIC: Final = "activity.assignments"
VALUE_KIND: Final = "activity"
"""The kind of a record that only a value names: its assignments go to `activity.assignments` alone."""


WAITING: Final = "@conversation:"
"""Begins the id of what stands for the contacts of a conversation while none is known."""

OF_COMPANY: Final = "@company:"
"""Begins the id of what has the activities of a company, as a contact has its own."""


def company_subject(company: str) -> str:
    """Return what has the activities of a company, `app_id:company_id`."""
    app_id, _, entity = company.partition(":")
    return f"{app_id}:{OF_COMPANY}{entity}"


def company_of_subject(subject: str) -> str | None:
    """Return the company whose activities these are; None where they are a contact's."""
    app_id, _, entity = subject.partition(":")
    return f"{app_id}:{entity.removeprefix(OF_COMPANY)}" if entity.startswith(OF_COMPANY) else None


def fits_in_a_key(entity: str) -> bool:
    """Return whether an id can be part of a key: no id of Intercom's has the separator, and one that has would be read as another's."""
    return "|" not in entity


class Totals(msgspec.Struct, frozen=True, array_like=True, tag="totals"):
    """How many activities there are of one type, and when the first and the last were, in ms."""

    number: int
    first: int
    last: int


class Participants(NamedTuple):
    """The contacts that a conversation is with, under a number: the higher one is the later."""

    number: int
    contacts: tuple[str, ...]


class ActivityRecord(msgspec.Struct, frozen=True, array_like=True, tag="activity"):
    """An activity of a contact, because of an event; `participants` are those of its conversation as the sender knows them.

    `of_sealed` is a redaction of what is sealed in its conversation: it takes words, and who does not have the activity does not get it.
    """

    activity: PersonActivity
    cause: PatchCause
    participants: Participants | None = None
    of_sealed: bool = False


class ParticipantsRecord(msgspec.Struct, frozen=True, array_like=True, tag="participants"):
    """With whom a conversation is from now on, and was until now; `closed` once it is deleted, and its words are gone.

    `sealed` once it is so long over that its marks are joined with those of other conversations. `forgotten` are Intercom's ids of contacts who are
    erased: what they wrote is to lose its author and its words.
    """

    conversation: str
    participants: Participants
    before: tuple[str, ...]
    cause: PatchCause
    closed: bool = False
    sealed: bool = False
    forgotten: tuple[str, ...] = ()


class MarksRecord(msgspec.Struct, frozen=True, array_like=True, tag="marks"):
    """What is left of activities of a type whose details have expired: packed marks (`schemas.activities.marks`).

    Of one conversation, or with `sealed` of all that are sealed, with their totals. `participants` as in an `ActivityRecord`, where a contact
    passes them on.
    """

    kind: str
    conversation: str
    marks: bytes
    cause: PatchCause
    sealed: Totals | None = None
    participants: Participants | None = None


ActivityMessage: TypeAlias = Union[ActivityRecord, ParticipantsRecord, MarksRecord]  # noqa: UP007 - this form has the name that errors show
RECORD: Final[Versioned[ActivityMessage]] = Versioned(cast("type[ActivityMessage]", ActivityMessage))
"""The codec of `activity.records`."""


class ActivityPatch(msgspec.Struct, frozen=True, array_like=True, tag="activity"):
    """What a contact contributes to a profile: an activity, or with `gone` that it is none of it any more.

    `totals` are the contact's of that type afterwards, None where none is left.
    """

    tenant: str
    contact: str
    activity: PersonActivity
    totals: Totals | None
    cause: PatchCause
    gone: bool = False


class MarksPatch(msgspec.Struct, frozen=True, array_like=True, tag="marks"):
    """Of these activities of a type the contact has only marks left (`expired`), or nothing any more (`gone`). Both are marks, packed.

    `totals` are the contact's of that type afterwards, None where none is left.
    """

    tenant: str
    contact: str
    kind: str
    totals: Totals | None
    cause: PatchCause
    expired: bytes = b""
    gone: bytes = b""


ProfilePatch: TypeAlias = Union[ActivityPatch, MarksPatch]  # noqa: UP007 - this form has the name that errors show
PATCH: Final[Versioned[ProfilePatch]] = Versioned(cast("type[ProfilePatch]", ProfilePatch))
"""The codec of `activity.patches`."""


class OwnerRow(msgspec.Struct, frozen=True, array_like=True, tag="owner"):
    """Whose a contact is: a contact without an assignment is a profile of its own.

    `leaving` are profiles that some of its activities may still be in, once for each move that is not at its end. `divided` counts how often
    meanwhile marks were divided among other rows: what goes through them row by row may have missed some.
    """

    assignment: Assignment
    leaving: tuple[str, ...] = ()
    divided: int = 0


class ContactActivityRow(msgspec.Struct, frozen=True, array_like=True, tag="activity"):
    """One activity of a contact."""

    activity: PersonActivity


class ParticipantsRow(msgspec.Struct, frozen=True, array_like=True, tag="with"):
    """With whom a conversation is, as the contact last learnt; `moves` of its activities are not at their end.

    Stored, the empty word stands for the contact itself: a contact keeps this row for every conversation it ever had.
    """

    participants: Participants
    closed: bool = False
    sealed: bool = False
    moves: int = 0


class RedactionRow(msgspec.Struct, frozen=True, array_like=True, tag="redaction"):
    """An activity was redacted once it was sealed, and the contact did not have it: another one may have passed its words on before it learnt that."""


class Summary(msgspec.Struct, frozen=True, array_like=True, tag="summary"):
    """Totals, and how many of the activities have `expired`: their marks, packed, while they are few, else in rows of type `MarkLeaf`."""

    number: int
    first: int
    last: int
    expired: int = 0
    marks: bytes = b""


class MarkLeaf(msgspec.Struct, frozen=True, array_like=True, tag="leaf"):
    """Those of many marks that begin with the same digits, packed."""

    marks: bytes


class DueRow(msgspec.Struct, frozen=True, array_like=True, tag="due"):
    """The day on which a contact's first detail expires, or an earlier one."""

    day: int


ActivityTableRow: TypeAlias = Union[  # noqa: UP007
    OwnerRow, ContactActivityRow, ParticipantsRow, RedactionRow, Totals, Summary, MarkLeaf, DueRow, RetentionInForce, DayReached
]
"""A row of the table of the activities agent."""


class SharedActivity(msgspec.Struct, frozen=True, array_like=True, tag="shared"):
    """An activity of a profile, and the contacts of it whose activity it is."""

    activity: PersonActivity
    contacts: tuple[str, ...]


class TypeCount(msgspec.Struct, frozen=True, array_like=True, tag="count"):
    """How many different activities of one type a profile has, and how many marks of expired ones its contacts have together."""

    number: int
    marks: int = 0


TimelineTableRow: TypeAlias = Union[SharedActivity, TypeCount, Summary, MarkLeaf]  # noqa: UP007
"""A row of the table of the timelines agent."""
