"""Parts of a conversation: joined by id, so that webhooks, readings and repetitions of them give one set."""

from typing import Any, Final, NamedTuple

import msgspec

from schemas.errors import InvalidRecord
from schemas.intercom.conversations import Part
from schemas.intercom.values import identifier_or_none, instant_or_none
from streams.core.conversations.objects import reference_of
from streams.core.records.intercom.objects import Object

_DIGITS: Final = 20  # ids are numbers of up to thirteen digits, and their order within a second is that of the numbers
_EARLIEST: Final = 1_293_840_000  # 2011, before Intercom existed: an earlier time is none
MARK: Final = 4  # bytes of the mark of a form
_BODIES: Final = ("body", "text")
PARTICIPANT_ADDED, PARTICIPANT_REMOVED = "participant_added", "participant_removed"
_BY_WHOM: Final = {
    PARTICIPANT_ADDED: "added_by",
    PARTICIPANT_REMOVED: "removed_by",
}  # what the internal form names in their place
_ANY: Final = msgspec.json.Decoder()


class ObservedPart(NamedTuple):
    """A part in a payload: its item in the table, what the row keeps of it, and the whole, for its words."""

    item: str
    part: Part
    whole: Object


def observed_part(whole: Object) -> ObservedPart | None:
    """Return a part of a payload, None where it has no id: nothing could say that it is the same one later."""
    fields = _unwrapped(whole)
    id_ = identifier_or_none(fields.get("id"))
    if id_ is None or not id_.isprintable() or "|" in id_:
        return None
    kind = fields.get("part_type")
    redacted = fields.get("redacted") is True
    return ObservedPart(
        id_.zfill(_DIGITS) if is_number(id_) else f"~{id_}",
        Part(
            second=second_of(fields.get("created_at")),
            kind=kind if isinstance(kind, str) else "",
            author=reference_of(fields.get("author")),
            assignee=reference_of(fields.get("assigned_to")),
            worded=not redacted and any(isinstance(fields.get(name), str) and fields[name] for name in _BODIES),
            redacted=redacted,
        ),
        fields,
    )


def is_number(id_: str) -> bool:
    """Return whether an id is a number: `isdigit` alone takes characters for digits that are none, such as a superscript."""
    return id_.isascii() and id_.isdigit()


def parts_counted(count: int) -> int:
    """Return how many parts there are by Intercom's count, which has the message that began the conversation too: that is no part."""
    return max(count - 1, 0)


def part_id(item: str) -> str:
    """Return Intercom's id of the part under that item."""
    return item[1:] if item.startswith("~") else item.lstrip("0")


def second_of(value: Any) -> int:
    """Return a time in seconds, 0 for none and for one that cannot be."""
    ms = instant_or_none(value)
    second = 0 if ms is None else ms // 1000
    return second if second >= _EARLIEST else 0


def join_parts(a: Part | None, b: Part) -> Part:
    """Return what both say of one part: of each field the greater value, so that a payload with less takes nothing away; the earlier time, as `join` of activities."""
    if a is None or a == b:
        return b
    return Part(
        second=min(a.second or b.second, b.second or a.second),
        kind=max(a.kind, b.kind),
        author=max(a.author, b.author),
        assignee=max(a.assignee, b.assignee),
        worded=a.worded or b.worded,
        redacted=a.redacted or b.redacted,
        shown=united(a.shown, b.shown),
    )


def united(a: bytes, b: bytes) -> bytes:
    """Return the marks of forms that are among these or those."""
    if not a or not b or a == b:
        return a or b
    both = a + b
    return b"".join(sorted({both[at : at + MARK] for at in range(0, len(both), MARK)}))


def _unwrapped(whole: Object) -> Object:
    """Return a part of the internal form, whose data are JSON in a text, like any other."""
    data = whole.get("data")
    if not isinstance(data, str):
        return whole
    try:
        inner = _ANY.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError, InvalidRecord):
        return whole
    if not isinstance(inner, dict):
        return whole
    kind, author = next(((kind, inner[by]) for kind, by in _BY_WHOM.items() if by in inner), ("", None))
    return {"part_type": kind, "author": author, **inner, **{name: value for name, value in whole.items() if name != "data"}}
