"""The public value of a conversation: the latest of each register, and figures from its parts or, while parts are missing, from Intercom's own."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from schemas.intercom.conversations import CONVERSATION, TICKET, ConversationRow, Tally
from schemas.profiles.registers import Registers, Value
from streams.core.conversations.objects import PRIORITIES
from streams.core.conversations.observation import DELETED, TICKET_MARK
from streams.core.conversations.parts import parts_counted
from streams.core.conversations.row import contacts_of, is_deleted
from streams.core.conversations.tallies import ASSIGNMENT, CLOSE, CONTACT_REPLY, OPEN, PARTS, TEAMMATE_REPLY
from streams.core.records.registers import active_edges, unsettled, version_of

Public = dict[str, Any]
FROM_PARTS, FROM_INTERCOM = "parts", "intercom"
_EXPECTED: Final = "statistics.count_conversation_parts"
_NONE: Final = Tally(0, 0, 0)
_FIELDS: Final = (
    "state", "open", "read", "title", "priority", "created_at", "updated_at", "snoozed_until", "waiting_since", "admin_assignee",
    "team_assignee", "company", "category", "rating", "rating_remark", "rated_at", "rated_teammate", "source_type", "source_delivered_as",
    "source_author", "source_subject", "ticket_number", "ticket_state", "ticket_type", "ticket_type_name",
)  # fmt: skip
_EDGES: Final[Mapping[str, str]] = MappingProxyType({"tags": "tag", "linked": "linked", "teammates": "teammate"})
_FIGURES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "first_contact_reply_at": (CONTACT_REPLY, "first"), "last_contact_reply_at": (CONTACT_REPLY, "last"),
    "first_admin_reply_at": (TEAMMATE_REPLY, "first"), "last_admin_reply_at": (TEAMMATE_REPLY, "last"),
    "first_close_at": (CLOSE, "first"), "last_close_at": (CLOSE, "last"),
    "count_reopens": (OPEN, "count"), "count_assignments": (ASSIGNMENT, "count"),
})  # fmt: skip
"""Figures under Intercom's names, and the tally of parts that each is."""


class Completeness(msgspec.Struct, frozen=True):
    """How many parts are known, and how many there are by Intercom's count; None where it gives none."""

    known: int
    expected: int | None

    @property
    def complete(self) -> bool:
        """Whether every part is known: never while nothing says how many there are."""
        return self.expected is not None and self.known >= self.expected


def completeness(row: ConversationRow, registers: Registers) -> Completeness:
    """Return how complete a conversation's parts are. A ticket has no count; what a reading by its id showed is all of it."""
    text = _values(registers).get(_EXPECTED)
    expected = parts_counted(int(text)) if isinstance(text, str) and text.isdigit() else None
    return Completeness(dict(row.tallies).get(PARTS, _NONE).count, expected if expected is not None else row.offered or None)


def public_value(app_id: str, entity: str, row: ConversationRow, registers: Registers) -> Public:
    """Return the value as its schema has it."""
    values, edges = _values(registers), [name.partition(":") for name, _ in active_edges(registers)]
    tallies, found = dict(row.tallies), completeness(row, registers)
    priority = values.get("priority")
    deleted = version_of(registers.on, DELETED) if is_deleted(registers) else None
    return {
        "id": entity,
        "app_id": app_id,
        "kind": TICKET if any(kind == TICKET_MARK and not id_ for kind, _, id_ in edges) else CONVERSATION,
        **{name: values.get(name) for name in _FIELDS},
        "priority_level": PRIORITIES.get(priority) if isinstance(priority, str) else None,
        "contacts": [f"{app_id}:{contact}" for contact in contacts_of(registers)],
        **{name: sorted(id_ for each, _, id_ in edges if each == kind) for name, kind in _EDGES.items()},
        **_mapped(values, "attributes"),
        **_mapped(values, "statistics"),
        **_mapped(values, "traits"),
        "tallies": {name: _tally(tally) for name, tally in sorted(tallies.items())},
        "parts_expected": found.expected,
        "complete": found.complete,
        "basis": FROM_PARTS if found.complete else FROM_INTERCOM,
        **{name: _figure(name, tallies, values, complete=found.complete) for name in _FIGURES},
        "deleted_at": None if deleted is None else deleted.time,
        "unsettled": sorted(unsettled(registers)),
    }


def _values(registers: Registers) -> dict[str, Value]:
    """Return the latest value of each field."""
    return {name: value for _, values in registers.now for name, value in values.items()}


def _mapped(values: Mapping[str, Value], family: str) -> Public:
    prefix = f"{family}."
    return {
        family: {
            name.removeprefix(prefix): values[name]
            for name in sorted(values)
            if name.startswith(prefix) and values[name] is not None
        }
    }


def _tally(tally: Tally) -> Public:
    return {"count": tally.count, "first_at": tally.first * 1000 or None, "last_at": tally.last * 1000 or None}


def _with_source(category: str, part: str, second: int, values: Mapping[str, Value]) -> int:
    """Return a second, given that what began the conversation is its first reply where a contact wrote it: it is no part."""
    author, created = values.get("source_author"), values.get("created_at")
    if category != CONTACT_REPLY or not isinstance(created, int) or not str(author).startswith("contact:"):
        return second
    began = created // 1000
    return min(second or began, began) if part == "first" else max(second, began)


def _figure(name: str, tallies: Mapping[str, Tally], values: Mapping[str, Value], *, complete: bool) -> int | None:
    """Return a figure from the parts, or while some are missing from Intercom's statistics."""
    category, part = _FIGURES[name]
    if complete:
        figure: int = getattr(tallies.get(category, _NONE), part)
        return figure if part == "count" else _with_source(category, part, figure, values) * 1000 or None
    text = values.get(f"statistics.{name}")
    return int(text) if isinstance(text, str) and text.isdigit() else None
