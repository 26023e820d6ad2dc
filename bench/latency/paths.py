"""The two paths whose delay matters, each through two agents: what is posted, and which topic has the consequence."""

import time
from collections.abc import Callable
from types import MappingProxyType

import msgspec

from bench.product import APP_ID
from connectors.simulator import payloads


class Path(msgspec.Struct, frozen=True):
    """`body(marker)` makes a post; its consequence is the first record of `topic` that contains the marker, a number as text."""

    topic: str
    body: Callable[[str], bytes]
    about: str


def _teammate(marker: str) -> bytes:
    item = payloads.admin(id=int(marker), name=f"Teammate {marker}", email=f"teammate.{marker}@stranger.example")
    return _posted("admin.added_to_workspace", item, marker)


def _contact(marker: str) -> bytes:
    now = time.time_ns() // 1_000_000
    item = payloads.contact(
        id=f"contact-{marker}",
        app_id=APP_ID,
        external_id=marker,
        name=marker,
        email=f"{marker}@example.com",
        created_ms=now,
        updated_ms=now,
    )
    return _posted("contact.user.created", item, marker)


def _posted(topic: str, item: payloads.Item, marker: str) -> bytes:
    return payloads.notification(topic, item, id=f"notif-{marker}", app_id=APP_ID, created_s=int(time.time()))


PATHS = MappingProxyType({
    "violation": Path(topic="access.violations", body=_teammate, about="a teammate nobody knows, to the violation"),
    "person": Path(topic="people", body=_contact, about="a new contact, to the person"),
})  # fmt: skip
