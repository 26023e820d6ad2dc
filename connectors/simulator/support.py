"""What customers do and ask: events, a call, and conversations that are opened, answered, closed and rated, as the webhooks that report them."""

from collections.abc import Iterator, Sequence
from typing import Final

from connectors.simulator import events
from connectors.simulator.history import Scene, SimulatedPost
from connectors.simulator.payloads import Item

_TEAMMATE: Final = "Ines Holm"
_CUSTOMERS: Final = ("Amara Abel 1", "Bela Costa 2", "Chidi Grau 3")


class _Thread:
    """One conversation: its parts are numbered in order, and each post shows the one that made it."""

    def __init__(self, scene: Scene, customer: str, number: int) -> None:
        self.scene, self.customer = scene, customer
        self.id = str(1_000_000 + int(scene.id("conversation", str(number)), 16) % 9_000_000)
        self.contact: Item = {"type": "user", "id": scene.id("contact", customer), "name": None, "email": None}
        self.teammate: Item = {
            "type": "admin",
            "id": str(scene.admin_id(_TEAMMATE)),
            "name": _TEAMMATE,
            "email": "ines.holm@acme.example",
        }
        self.opened = scene.at(300 + 400 * number) // 1000
        self.parts = 0

    def post(self, topic: str, about: str, *parts: Item, after: int, state: str = "open", **fields: object) -> SimulatedPost:
        """Return the post of something so many seconds after the beginning."""
        reference = {"type": "contact", "id": self.contact["id"], "external_id": None}
        item: Item = {
            "type": "conversation", "id": self.id, "created_at": self.opened, "updated_at": self.opened + after, "state": state,
            "open": state != "closed", "contacts": {"type": "contact.list", "contacts": [reference]},
            "source": {"type": "conversation", "id": f"{self.id}0", "delivered_as": "customer_initiated", "subject": "",
                       "body": "<p>Where is my invoice?</p>", "author": self.contact, "attachments": [], "redacted": False},
            "statistics": {"type": "conversation_statistics", "count_conversation_parts": self.parts + 1},  # what began it is counted
            "conversation_parts": {"type": "conversation_part.list", "conversation_parts": list(parts), "total_count": len(parts)},
            **fields,
        }  # fmt: skip
        return self.scene.post(topic, item, at_ms=(self.opened + after) * 1000, about=about)

    def part(self, author: Item, kind: str, body: str | None, *, after: int) -> Item:
        self.parts += 1
        at = self.opened + after
        return {
            "type": "conversation_part", "id": str(int(self.id) * 100 + self.parts), "part_type": kind, "body": body, "created_at": at,
            "updated_at": at, "assigned_to": None, "author": author, "attachments": [], "redacted": False, "tags": [],
        }  # fmt: skip


def conversation(scene: Scene, customer: str, number: int) -> Iterator[SimulatedPost]:
    """Yield the posts of a conversation: it is opened, answered, replied to, closed and rated."""
    thread = _Thread(scene, customer, number)
    yield thread.post("conversation.user.created", f"{customer} asks", after=0)
    answer = thread.part(thread.teammate, "comment", "<p>It is on its way.</p>", after=60)
    yield thread.post("conversation.admin.replied", f"{_TEAMMATE} answers {customer}", answer, after=60)
    thanks = thread.part(thread.contact, "comment", "<p>Thank you &amp; bye</p>", after=120)
    yield thread.post("conversation.user.replied", f"{customer} replies", thanks, after=120)
    closed = thread.part(thread.teammate, "close", None, after=180)
    yield thread.post("conversation.admin.closed", f"{_TEAMMATE} closes it", closed, after=180, state="closed")
    rating = {
        "rating": 5 - number % 2,
        "remark": None,
        "created_at": thread.opened + 200,
        "contact": thread.contact,
        "teammate": thread.teammate,
    }
    yield thread.post("conversation.rating.added", f"{customer} rates it", after=200, state="closed", conversation_rating=rating)


def support(scene: Scene, customers: Sequence[str] = _CUSTOMERS) -> Iterator[SimulatedPost]:
    """Simulate customers who sign up, use the product, call, and have conversations that are answered, closed and rated."""
    yield from (events.contact_saved(scene, name, at=10.0 * number) for number, name in enumerate(customers))
    for number, name in enumerate(customers):
        contact, at = scene.id("contact", name), scene.at(200 + number)
        event = {
            "type": "event", "event_name": "invoice-opened", "created_at": at // 1000, "metadata": {"number": number},
            "user_id": f"user-{scene.id('user', name)[:8]}",
        }  # fmt: skip
        yield scene.post("event.created", event, at_ms=at, about=f"{name} opens an invoice")
        yield from conversation(scene, name, number)
        ended = scene.at(700 + 400 * number)
        call = {
            "type": "call",
            "id": scene.id("call", name),
            "contact_id": contact,
            "direction": "inbound",
            "ended_at": ended // 1000,
        }
        yield scene.post("call.ended", call, at_ms=ended, about=f"a call of {name} ends")
