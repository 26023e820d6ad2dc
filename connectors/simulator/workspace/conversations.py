"""Conversations of the simulated workspace, with parts of contacts, teammates and the Fin bot."""

from typing import Any, Final

import msgspec

from connectors.simulator.workspace.identifiers import mixed
from connectors.simulator.workspace.lazy_rows import PastTimes
from connectors.simulator.workspace.spec import PAST_DAYS, WorkspaceSpec
from connectors.simulator.workspace.teammates import BOT_ID, FIRST_ID
from schemas.topics import DAY_MS

MOST_PARTS: Final = 500  # the newest that Intercom returns
_LONG_EACH: Final = 50
_LONG: Final = 620
FIRST_CONVERSATION: Final = 1001
_STATES: Final = ("open", "closed", "closed", "snoozed")


class SimulatedConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation of a contact."""

    number: int
    contact: int
    state: str
    parts: int
    created_ms: int
    updated_ms: int
    deleted_ms: int = 0

    @property
    def listed(self) -> bool:
        return not self.deleted_ms


class PastConversations:
    """Conversations of the past; above the listed ones are the deleted ones."""

    def __init__(self, spec: WorkspaceSpec) -> None:
        self.spec = spec
        self.times = PastTimes(spec.past_ends_ms, PAST_DAYS * DAY_MS, spec.conversations)

    def __call__(self, number: int) -> SimulatedConversation:
        chance = mixed(self.spec.seed, number, 6)
        updated = self.times(min(number, self.spec.conversations - 1))
        deleted = number >= self.spec.conversations
        return SimulatedConversation(
            number=number,
            contact=number % self.spec.contacts,
            state=_STATES[chance & 3],
            parts=_LONG if number % _LONG_EACH == 1 else (chance >> 8) % 12,
            created_ms=updated - (chance >> 32) % (7 * DAY_MS),
            updated_ms=updated,
            deleted_ms=self.spec.past_ends_ms - (number - self.spec.conversations) * 1000 if deleted else 0,
        )


def rest_conversation(
    conversation: SimulatedConversation, contact: str, external_id: str | None, *, with_parts: bool, priorities: tuple[str, ...]
) -> dict[str, Any]:
    """Return a conversation as REST gives it. `priorities` are the first two words of the version: none, and some."""
    number, seconds = conversation.number, conversation.created_ms // 1000
    chance = mixed(conversation.parts, number, 8)
    return {
        "type": "conversation", "id": str(FIRST_CONVERSATION + number), "created_at": seconds,
        "updated_at": conversation.updated_ms // 1000, "waiting_since": None, "snoozed_until": None,
        "source": None if chance % 13 == 0 else {
            "type": "conversation", "id": str(7_000_000 + number), "delivered_as": "customer_initiated", "subject": "",
            "body": f"<p>Question {number} &amp; more</p>", "author": {"type": "user", "id": contact, "name": None, "email": None},
            "attachments": [], "url": None, "redacted": False,
        },
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": contact, "external_id": external_id}]},
        "first_contact_reply": None, "admin_assignee_id": FIRST_ID if chance & 1 else 0, "team_assignee_id": None,
        "open": conversation.state != "closed", "state": conversation.state, "read": bool(chance & 2),
        "tags": {"type": "tag.list", "tags": []}, "priority": priorities[chance >> 8 & 1], "sla_applied": None,
        "statistics": {"type": "conversation_statistics", "count_conversation_parts": conversation.parts + 1,  # what began it is counted
                       "count_reopens": 0, "first_contact_reply_at": seconds},
        "conversation_rating": None, "teammates": {"type": "admin.list", "admins": [{"type": "admin", "id": str(BOT_ID)}]},
        "title": None, "custom_attributes": {}, "topics": {}, "ticket": None,
        "linked_objects": {"type": "list", "data": [], "total_count": 0, "has_more": False},
        "ai_agent": None, "ai_agent_participated": conversation.parts > 1,
        **({"conversation_parts": _parts(conversation, contact)} if with_parts else {}),
    }  # fmt: skip


def _parts(conversation: SimulatedConversation, contact: str) -> dict[str, Any]:
    shown = range(max(0, conversation.parts - MOST_PARTS), conversation.parts)
    parts = [_part(conversation, number, contact) for number in shown]
    return {"type": "conversation_part.list", "conversation_parts": parts, "total_count": len(parts)}


def _part(conversation: SimulatedConversation, number: int, contact: str) -> dict[str, Any]:
    authors: tuple[dict[str, Any], ...] = (
        {"type": "user", "id": contact, "name": None, "email": None},
        {"type": "bot", "id": str(BOT_ID), "name": "Fin", "email": None},
        {"type": "admin", "id": str(FIRST_ID), "name": "Ines Holm", "email": "ines.holm@acme.example"},
    )
    seconds = conversation.updated_ms // 1000 - conversation.parts + number + 1
    return {
        "type": "conversation_part", "id": str(conversation.number * 1000 + number), "part_type": "comment",
        "body": f"<p>Part {number}</p>", "created_at": seconds, "updated_at": seconds, "notified_at": seconds, "assigned_to": None,
        "author": authors[number % 3], "attachments": [], "external_id": None, "redacted": False, "state": "open", "tags": [],
        "event_details": None, "email_message_metadata": None, "app_package_code": None,
    }  # fmt: skip


def conversation_number(text: str) -> int:
    """Return the number of a conversation's id, -1 for a text that is none."""
    return int(text) - FIRST_CONVERSATION if text.isascii() and text.isdigit() else -1
