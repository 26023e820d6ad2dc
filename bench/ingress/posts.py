"""The posts of all servers: 256 different signed notifications of 2.1 kB, as the bytes of whole HTTP requests."""

import hashlib
import hmac
import random

import msgspec

from bench.product import APP_ID, SECRET, WEBHOOKS

COUNT = 256
BODY_BYTES = 2_100


def bodies(seed: int = 11) -> list[bytes]:
    """Return the notifications, each of another contact and of exactly `BODY_BYTES`."""
    chance = random.Random(seed)
    return [_padded(_notification(number, chance)) for number in range(COUNT)]


def requests(port: int) -> list[bytes]:
    """Return the posts as bytes of HTTP."""
    return [_request(body, port) for body in bodies()]


def _request(body: bytes, port: int) -> bytes:
    signature = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    head = (
        f"POST {WEBHOOKS} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: intercom-streams-bench\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nX-Hub-Signature: sha1={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _padded(notification: dict[str, object]) -> bytes:
    short = msgspec.json.encode({**notification, "padding": ""})
    return msgspec.json.encode({**notification, "padding": "x" * (BODY_BYTES - len(short))})


def _notification(number: int, chance: random.Random) -> dict[str, object]:
    return {
        "type": "notification_event",
        "app_id": APP_ID,
        "id": f"notif_{number:08d}-{chance.getrandbits(64):016x}",
        "topic": "contact.user.updated",
        "created_at": 1_790_000_000 + number,
        "delivery_attempts": 1,
        "first_sent_at": 1_790_000_001 + number,
        "delivery_status": "pending",
        "data": {"type": "notification_event_data", "item": _contact(number, chance)},
    }


def _contact(number: int, chance: random.Random) -> dict[str, object]:
    contact_id = f"{chance.getrandbits(96):024x}"
    return {
        "type": "contact",
        "id": contact_id,
        "workspace_id": APP_ID,
        "external_id": f"user-{number}",
        "role": "user",
        "email": f"person.{number}@example.com",
        "name": f"Person {number}",
        "unsubscribed_from_emails": False,
        "created_at": "2026-02-26T07:41:59.251+00:00",
        "updated_at": "2026-02-26T07:49:07.847+00:00",
        "location": {"type": "location", "country": "Ireland", "city": "Dublin", "region": None},
        "custom_attributes": {f"attribute_{each}": chance.randrange(10_000) for each in range(12)},
        **{
            name: {"type": "list", "data": [], "url": f"/contacts/{contact_id}/{name}", "total_count": 0, "has_more": False}
            for name in ("tags", "notes", "companies")
        },
    }
