"""The small lists of the simulated workspace: tags, segments, attributes, articles, subscriptions and addresses."""

from typing import Any, Final

from connectors.simulator.workspace.contacts import TAGS, SimulatedContact
from connectors.simulator.workspace.identifiers import mixed
from connectors.simulator.workspace.spec import PAST_DAYS, WorkspaceSpec
from connectors.simulator.workspace.teammates import FIRST_ID
from schemas.topics import DAY_MS

_FIRST_TAG: Final = 100
SEGMENTS: Final = ("Active", "New", "Slipping away")
IP_ALLOWLIST: Final = {"type": "ip_allowlist", "enabled": True, "ip_allowlist": ["192.0.2.0/24", "203.0.113.119"]}
_STANDARD: Final = {
    "contact": (("email", "string"), ("phone", "string"), ("name", "string"), ("created_at", "date"), ("role", "string")),
    "company": (("company_id", "string"), ("name", "string"), ("monthly_spend", "float"), ("created_at", "date")),
}
MODELS: Final = frozenset(_STANDARD)


def tag(number: int) -> dict[str, Any]:
    return {"type": "tag", "id": str(_FIRST_TAG + number), "name": TAGS[number]}


def segments(spec: WorkspaceSpec) -> list[dict[str, Any]]:
    """Return all segments, of the age of the workspace."""
    seconds = spec.past_ends_ms // 1000 - PAST_DAYS * 86_400
    return [
        {"type": "segment", "id": f"{number:024x}", "name": name, "created_at": seconds, "updated_at": seconds, "person_type": "user"}
        for number, name in enumerate(SEGMENTS, 1)
    ]  # fmt: skip


def segments_of(spec: WorkspaceSpec, contact: SimulatedContact) -> list[dict[str, Any]]:
    return segments(spec)[: contact.number % (len(SEGMENTS) + 1)]


def subscriptions_of(contact: SimulatedContact) -> list[dict[str, Any]]:
    """Return the subscription types that a contact has opted out of."""
    entry = {"type": "subscription", "id": "1", "state": "live", "consent_type": "opt_out", "content_types": ["email"]}
    return [entry] if contact.unsubscribed else []


def data_attributes(model: str, *, archived: bool) -> list[dict[str, Any]]:
    """Return the attributes of contacts or companies; those archived where they are asked for."""
    custom = (("plan", False), ("legacy_tier", True))
    standard = [_attribute(model, name, kind) for name, kind in _STANDARD[model]]
    own = [
        {
            **_attribute(model, name, "string"),
            "id": 15 + number,
            "custom": True,
            "archived": old,
            "admin_id": str(FIRST_ID),
            "created_at": 0,
            "updated_at": 0,
        }
        for number, (name, old) in enumerate(custom)
        if archived or not old
    ]
    return standard + own


def article(spec: WorkspaceSpec, number: int) -> dict[str, Any]:
    """Return an article, the higher the number the older."""
    seconds = spec.past_ends_ms // 1000 - (number + 1) * (PAST_DAYS * DAY_MS // 1000 // (spec.articles + 1))
    draft = mixed(spec.seed, number, 9) % 7 == 0
    return {
        "id": str(20 + number), "type": "article", "workspace_id": spec.app_id, "parent_ids": [],
        "statistics": {"type": "article_statistics", "views": 0, "conversations": 0, "reactions": 0,
                       "happy_reaction_percentage": 0, "neutral_reaction_percentage": 0, "sad_reaction_percentage": 0},
        "tags": {"type": "tag.list", "tags": []}, "title": f"How to, part {number}", "description": "", "body": "<p>Like so.</p>",
        "author_id": FIRST_ID, "state": "draft" if draft else "published", "created_at": seconds, "updated_at": seconds,
        "url": None if draft else f"https://help.example/articles/{number}",
    }  # fmt: skip


def _attribute(model: str, name: str, kind: str) -> dict[str, Any]:
    return {
        "type": "data_attribute", "name": name, "full_name": name, "label": name, "description": "", "data_type": kind,
        "api_writable": True, "ui_writable": False, "messenger_writable": True, "custom": False, "archived": False, "model": model,
    }  # fmt: skip
