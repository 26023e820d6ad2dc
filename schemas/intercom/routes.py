"""Where a post of Intercom's goes: the table from Intercom's topics to ours, and to the id of the entity each is about.

A post goes to one topic, keyed by the entity it changes. Two kinds go to a second place as well, as twins with an id of their own:
`company.contact.*` also to the company, `contact.merged` also to the contact that was merged away.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.ids import derived
from schemas.intercom.envelope import NULL, Envelope, name

OTHER: Final = "intercom.other"
TOPICS: Final = (
    "intercom.contacts", "intercom.companies", "intercom.conversations", "intercom.admins", "intercom.articles", OTHER,
)  # fmt: skip
"""Every topic that a post can go to."""
_TYPE: Final = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_LONGEST_TYPE: Final = 100

_UNKNOWN_TYPE: Final = "intercom.unknown"
Path = tuple[str, ...]


class SecondaryRoute(msgspec.Struct, frozen=True):
    """A second place of the same post; its id is derived from the post's and `part`."""

    part: str
    topic: str
    entity: tuple[Path, ...]


class Route(msgspec.Struct, frozen=True):
    """One of our topics, and where in `data.item` the entity's id may stand (first found wins). `by_app`: keyed by the workspace."""

    topic: str
    entity: tuple[Path, ...]
    by_app: bool = False
    secondary: SecondaryRoute | None = None


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where one record of a post goes. `causation` is the post's own id where this record is a twin of it."""

    topic: str
    key: str
    id: str
    entity: str | None = None
    causation: str | None = None


_ITSELF: Final[tuple[Path, ...]] = (("id",),)
_OF_CONTACT: Final[tuple[Path, ...]] = (("contact", "id"), ("user", "id"))
_CONTACT: Final = Route("intercom.contacts", _ITSELF)
_ABOUT_CONTACT: Final = Route("intercom.contacts", _OF_CONTACT)
_SUBSCRIPTION: Final = Route("intercom.contacts", (*_OF_CONTACT, ("id",)))  # version 1 posted the user itself
_MERGED: Final = Route(
    "intercom.contacts", _ITSELF, secondary=SecondaryRoute("merged_from", "intercom.contacts", (("merged_from", "id"),))
)
_COMPANY: Final = Route("intercom.companies", _ITSELF)
_EDGE: Final = Route(
    "intercom.contacts", _OF_CONTACT, secondary=SecondaryRoute("company", "intercom.companies", (("company", "id"),))
)
_CONVERSATION: Final = Route(
    "intercom.conversations",
    (("id",), ("conversation_id",), ("conversation", "id"), ("conversation", "model", "id")),
)
_TICKET: Final = Route("intercom.conversations", (("ticket", "id"), ("id",)))  # ticket.closed has it one level down since 2.15
_ADMIN: Final = Route("intercom.admins", _ITSELF, by_app=True)
_ARTICLE: Final = Route("intercom.articles", _ITSELF)

_BY_ROUTE: Final[tuple[tuple[Route, tuple[str, ...]], ...]] = (
    (_CONTACT, (
        "contact.user.created", "contact.user.updated",
        "contact.lead.created", "contact.lead.updated", "contact.lead.added_email", "contact.lead.signed_up",
        "contact.email.updated", "contact.deleted",
        "contact.archived", "contact.archive", "contact.unarchived", "contact.unarchive",  # both spellings are on the wire
        "contact.created", "contact.updated", "contact.signed_up", "contact.added_email",  # API 1.x
        "user.created", "user.updated", "user.deleted", "user.email.updated",  # API 1.x
        "visitor.signed_up",
    )),
    (_MERGED, ("contact.merged",)),
    (_ABOUT_CONTACT, (
        "contact.user.tag.created", "contact.user.tag.deleted", "contact.lead.tag.created", "contact.lead.tag.deleted",
        "contact.tag.created", "contact.tag.deleted", "user.tag.created", "user.tag.deleted",
        "granular.subscribe", "granular.unsubscribe",
    )),
    (_SUBSCRIPTION, (
        "contact.subscribed", "contact.unsubscribed", "contact.unsubscribed_from_sms", "user.subscribed", "user.unsubscribed",
    )),
    (_COMPANY, ("company.created", "company.updated", "company.deleted")),
    (_EDGE, ("company.contact.attached", "company.contact.detached")),
)  # fmt: skip

ROUTES: Final[Mapping[str, Route]] = MappingProxyType({topic: route for route, topics in _BY_ROUTE for topic in topics})
"""Topics by their whole name: a contact or company topic we have never heard of may mean anything, so it is not guessed."""

FAMILIES: Final[Mapping[str, Route]] = MappingProxyType({
    "admin": _ADMIN, "article": _ARTICLE, "conversation": _CONVERSATION, "conversation_part": _CONVERSATION, "ticket": _TICKET,
})  # fmt: skip
"""Topics by their first word: these grow with every version of the API, and all of them are about the entity named first."""

UNREAD_FAMILIES: Final = frozenset({
    "api", "audience", "call", "content_import_source", "content_snippet", "content_stat", "data_connector", "event", "job",
    "messenger", "ping", "procedure",
})  # fmt: skip
"""First words of topics that are known and that no agent reads."""


def destinations(notification: Envelope) -> tuple[Destination, ...]:
    """Name every place a post goes, at least one; `intercom.other` where the table or the entity's id is missing."""
    route = route_of(notification.topic)
    if route is None:
        return (other_destination(notification),)
    entity = _entity(notification.item, route.entity)
    first = _destination(notification, route, entity) if entity or route.by_app else other_destination(notification)
    if route.secondary is None:
        return (first,)
    second = _entity(notification.item, route.secondary.entity)
    return (first, _secondary_destination(notification, route.secondary, second)) if second else (first,)


def other_destination(note: Envelope) -> Destination:
    """Name the place of a post that no agent reads."""
    return Destination(topic=OTHER, key=f"{note.app_id}:{note.id}", id=note.id)


@lru_cache(maxsize=1024)  # Intercom has some two hundred topics
def route_of(topic: str) -> Route | None:
    """Look a topic of Intercom's up, by its whole name and then by its first word."""
    return ROUTES.get(topic) or FAMILIES.get(topic.partition(".")[0])


def is_known_topic(topic: str) -> bool:
    """Say whether Intercom documents this topic or its family, read by an agent or not."""
    return route_of(topic) is not None or topic.partition(".")[0] in UNREAD_FAMILIES


@lru_cache(maxsize=1024)
def event_type(topic: str) -> str:
    """Spell a topic as a CloudEvents type, `intercom.` and its name; `intercom.unknown` for one that is no such name."""
    return f"intercom.{topic}" if len(topic) <= _LONGEST_TYPE and _TYPE.fullmatch(topic) else _UNKNOWN_TYPE


def _destination(note: Envelope, route: Route, entity: str | None) -> Destination:
    key = note.app_id if route.by_app else f"{note.app_id}:{entity}"
    return Destination(topic=route.topic, key=key, id=note.id, entity=entity)


def _secondary_destination(note: Envelope, twin: SecondaryRoute, entity: str) -> Destination:
    return Destination(
        topic=twin.topic, key=f"{note.app_id}:{entity}", id=derived(note.id, twin.part), entity=entity, causation=note.id,
    )  # fmt: skip


class _Step(msgspec.Struct, frozen=True):
    """The fields an entity's id is looked for in; the rest of an object is skipped, not decoded."""

    id: msgspec.Raw = NULL
    conversation_id: msgspec.Raw = NULL
    contact: msgspec.Raw = NULL
    user: msgspec.Raw = NULL
    company: msgspec.Raw = NULL
    conversation: msgspec.Raw = NULL
    ticket: msgspec.Raw = NULL
    model: msgspec.Raw = NULL
    merged_from: msgspec.Raw = NULL


_STEP: Final = msgspec.json.Decoder(_Step)


def _entity(item: msgspec.Raw, paths: tuple[Path, ...]) -> str | None:
    """Return the first id found along the paths; 0 is how Intercom spells nobody."""
    top = _step(item)
    for path in paths:
        at = top
        for field in path[:-1]:
            at = at and _step(getattr(at, field))
        found = name(getattr(at, path[-1])) if at else None
        if found and found != "0":
            return found
    return None


def _step(raw: msgspec.Raw) -> _Step | None:
    try:
        return _STEP.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None
