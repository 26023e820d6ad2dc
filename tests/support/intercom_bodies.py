"""Webhook bodies written by hand, as short as a test can read them."""

import json

APP = "abc12345"
ADA = "65f0c0ffee00000000000001"
ENGINES = "65f0c0ffee00000000000101"
AT = 1_768_018_294


def posted(topic, item, *, at=AT, number=1, app_id=APP):
    """Return the body of a notification created at that second."""
    note = {"type": "notification_event", "app_id": app_id, "topic": topic, "id": f"notif_{number}", "created_at": at}
    return json.dumps({**note, "data": {"type": "notification_event_data", "item": item}}).encode()


def contact(identifier=ADA, *, updated=AT * 1000, **fields):
    """Return a contact with only the fields named."""
    return {"type": "contact", "id": identifier, "workspace_id": APP, "updated_at": timestamp(updated), **fields}


def company(identifier=ENGINES, *, updated=AT * 1000, **fields):
    """Return a company with only the fields named."""
    return {"type": "company", "id": identifier, "app_id": APP, "updated_at": timestamp(updated), **fields}


def listed(*ids, total=None, more=False):
    """Return an embedded list."""
    return {
        "type": "list",
        "data": [{"id": id_} for id_ in ids],
        "total_count": len(ids) if total is None else total,
        "has_more": more,
    }


def timestamp(ms):
    """Return a time in whole seconds as REST has it, one with milliseconds as webhooks have it."""
    return f"{ms / 1000:.3f}" if ms % 1000 else ms // 1000
