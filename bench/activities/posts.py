"""Posts of events and of parts of conversations, made up and the same at every run."""

from collections.abc import Iterator
from typing import Final

from bench.activities.pipeline import APP
from connectors.simulator.payloads import notification
from schemas.message import RecordValue

AT: Final = 1_772_090_548
EVENTS, CONVERSATIONS = "intercom.activities", "intercom.conversations"
_LIVE: Final = ("ce_origin", b"webhook")


def event(contact: str, number: int, at: int = AT) -> RecordValue:
    """Return the post of an event of a contact, so many seconds behind an instant."""
    item = {
        "type": "event", "id": f"e{contact}{number}", "event_name": "invoice-paid", "created_at": at + number, "intercom_user_id": contact,
        "metadata": {"invoice": number, "amount": 1200},
    }  # fmt: skip
    return _record(f"{APP}:{contact}", "event.created", item, number)


def part(conversation: int, number: int, contact: str = "") -> RecordValue:
    """Return the post of a conversation's part, which shows the conversation with this part alone; each has a contact of its own, or one for all."""
    contact = contact or f"c{conversation}"
    author = {"type": "user", "id": contact} if number % 2 else {"type": "admin", "id": "7"}
    shown = {
        "type": "conversation_part", "id": str(conversation * 100_000 + number), "part_type": "comment", "body": f"<p>Answer {number}</p>",
        "created_at": AT + number, "author": author,
    }  # fmt: skip
    item = {
        "type": "conversation", "id": str(conversation), "created_at": AT, "updated_at": AT + number, "state": "open",
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": contact}]},
        "statistics": {"type": "conversation_statistics", "count_conversation_parts": number + 1},
        "conversation_parts": {"type": "conversation_part.list", "conversation_parts": [shown], "total_count": 1},
    }  # fmt: skip
    topic = "conversation.user.replied" if number % 2 else "conversation.admin.replied"
    return _record(f"{APP}:{conversation}", topic, item, conversation * 100_000 + number)


def events(contact: str, start: int, count: int) -> Iterator[RecordValue]:
    """Yield posts of a contact's events, from a number on."""
    return (event(contact, number) for number in range(start, start + count))


def _record(key: str, topic: str, item: dict[str, object], number: int) -> RecordValue:
    body = notification(topic, item, id=f"notif_{key}_{number}", app_id=APP, created_s=AT + number % 100_000)
    return RecordValue(key.encode(), body, (("ce_id", f"notif_{key}_{number}".encode()), _LIVE))
