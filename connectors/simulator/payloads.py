"""Intercom's notifications as they look on the wire: times of contacts and companies as ISO texts, admin ids as numbers.

Shapes follow Intercom's webhook models of API 2.14 and later; the envelope's times are Unix seconds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from schemas.cloudevents import timestamp

Item = dict[str, Any]


def contact(
    *, id: str, app_id: str, external_id: str, name: str, email: str | None, created_ms: int, updated_ms: int,  # noqa: A002
    role: str = "user", companies: Sequence[str] = (), custom: Mapping[str, Any] | None = None,
) -> Item:  # fmt: skip
    """Return a complete contact; `companies` are Intercom's ids of the companies it belongs to."""
    return {
        "type": "contact",
        "id": id,
        "workspace_id": app_id,
        "external_id": external_id,
        "role": role,
        "email": email,
        "phone": None,
        "name": name,
        "unsubscribed_from_emails": False,
        "created_at": timestamp(created_ms),
        "updated_at": timestamp(updated_ms),
        "custom_attributes": dict(custom or {}),
        "tags": _list(id, "tags", []),
        "companies": _list(id, "companies", [{"id": each, "type": "company", "url": f"/companies/{each}"} for each in companies]),
    }


def company(
    *, id: str, app_id: str, company_id: str, name: str, created_ms: int, updated_ms: int, plan: str | None = None,  # noqa: A002
    custom: Mapping[str, Any] | None = None,
) -> Item:  # fmt: skip
    """Return a company as in webhooks: with `tag_ids`, without tags or segments."""
    return {
        "type": "company",
        "id": id,
        "app_id": app_id,
        "company_id": company_id,
        "name": name,
        "plan": plan,
        "created_at": timestamp(created_ms),
        "updated_at": timestamp(updated_ms),
        "monthly_spend": 0,
        "session_count": 0,
        "user_count": 0,
        "custom_attributes": dict(custom or {}),
        "tag_ids": [],
    }


def admin(*, id: int, name: str, email: str, seat: bool = True) -> Item:  # noqa: A002
    """Return a teammate: the id is a number, and Intercom gives neither a time nor a role."""
    return {
        "type": "admin",
        "id": id,
        "name": name,
        "email": email,
        "job_title": None,
        "away_mode_enabled": False,
        "away_mode_reassign": False,
        "away_status_reason": "",
        "has_inbox_seat": seat,
        "team_ids": [],
    }


def deleted(kind: str, *, id: str, external_id: str | None = None) -> Item:  # noqa: A002
    """Return a deleted contact or company: Intercom sends little more than its ids."""
    external = {} if external_id is None else {"external_id": external_id}
    return {"type": kind, "id": id, **external, "deleted": True}


def notification(
    topic: str, item: Item, *, id: str | None, app_id: str, created_s: int, attempts: int = 1, first_sent_s: int | None = None,  # noqa: A002
) -> bytes:  # fmt: skip
    """Return the body of a post. Only a ping has no id."""
    return msgspec.json.encode(
        {
            "type": "notification_event",
            "app_id": app_id,
            "data": {"type": "notification_event_data", "item": item},
            "links": {},
            "id": id,
            "topic": topic,
            "delivery_status": "pending",
            "delivery_attempts": attempts,
            "delivered_at": 0,
            "first_sent_at": created_s if first_sent_s is None else first_sent_s,
            "created_at": created_s,
            "self": None,
        }
    )


def _list(owner: str, name: str, entries: list[Item]) -> Item:
    url = f"/contacts/{owner}/{name}"
    return {"type": "list", "data": entries, "url": url, "total_count": len(entries), "has_more": False}
