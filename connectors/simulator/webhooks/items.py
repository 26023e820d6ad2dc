"""Objects of REST as webhooks write them: other times, other ids, other lists."""

from collections.abc import Mapping
from typing import Any, Final

from schemas.cloudevents import timestamp

Item = dict[str, Any]
_ONLY_REST: Final = frozenset({"tags", "segments"})


def contact_item(rest: Mapping[str, Any], updated_ms: int) -> Item:
    """Return a contact with its times as ISO texts; that of its last change to the millisecond."""
    return {**_iso(rest), "updated_at": timestamp(updated_ms)}


def company_item(rest: Mapping[str, Any], updated_ms: int) -> Item:
    """Return a company with `tag_ids` in place of tags and segments, and no plan."""
    kept = {name: value for name, value in rest.items() if name not in _ONLY_REST}
    return {**_iso(kept), "updated_at": timestamp(updated_ms), "plan": None, "tag_ids": []}


def teammate_item(rest: Mapping[str, Any]) -> Item:
    """Return a teammate: the id is a number, there is no role, and the reason of an absence is a text."""
    kept = {name: value for name, value in rest.items() if name not in {"role", "away_status_reason_id"}}
    return {**kept, "id": int(rest["id"]), "away_status_reason": ""}


def conversation_item(rest: Mapping[str, Any]) -> Item:
    """Return a conversation with the part that made the event; its own times are numbers, those of its statistics texts."""
    parts = rest.get("conversation_parts", {"type": "conversation_part.list", "conversation_parts": []})
    last = parts["conversation_parts"][-1:]
    return {
        **rest,
        "statistics": _iso(rest["statistics"]),
        "conversation_parts": {**parts, "conversation_parts": last, "total_count": len(last)},
    }


def _iso(item: Mapping[str, Any]) -> Item:
    return {
        name: timestamp(value * 1000) if name.endswith("_at") and isinstance(value, int) else value
        for name, value in item.items()
    }
