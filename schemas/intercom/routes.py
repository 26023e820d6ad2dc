"""The routes of Intercom's notifications: from Intercom's topics to this product's, and to the id of the entity each is about.

A notification goes to one topic, keyed by the entity it changes. Two kinds have a secondary record too, with an id of its own:
`company.contact.*` for the company, `contact.merged` for the contact that was merged away.
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
"""Every topic that a notification can go to."""
_TYPE: Final = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_LONGEST_TYPE: Final = 100

_UNKNOWN_TYPE: Final = "intercom.unknown"
Path = tuple[str, ...]


class SecondaryRoute(msgspec.Struct, frozen=True):
    """The route of a secondary record; its id is derived from the notification's and `part`."""

    part: str
    topic: str
    entity: tuple[Path, ...]


class Route(msgspec.Struct, frozen=True):
    """A topic, and the paths in `data.item` of the entity's id (the first that exists wins). `by_app`: keyed by the workspace."""

    topic: str
    entity: tuple[Path, ...]
    by_app: bool = False
    secondary: SecondaryRoute | None = None


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where one record of a notification goes. `causation` is the notification's id where the record is a secondary one."""

    topic: str
    key: str
    id: str
    entity: str | None = None
    causation: str | None = None


OWN_ID: Final[Path] = ("id",)
_OWN_ID: Final[tuple[Path, ...]] = (OWN_ID,)
_CONTACT_ID: Final[tuple[Path, ...]] = (("contact", "id"), ("user", "id"))
_CONTACT: Final = Route("intercom.contacts", _OWN_ID)
_ABOUT_CONTACT: Final = Route("intercom.contacts", _CONTACT_ID)
_SUBSCRIPTION: Final = Route("intercom.contacts", (*_CONTACT_ID, ("id",)))  # version 1 of the API posted the user itself
_MERGED: Final = Route(
    "intercom.contacts", _OWN_ID, secondary=SecondaryRoute("merged_from", "intercom.contacts", (("merged_from", "id"),))
)
_COMPANY: Final = Route("intercom.companies", _OWN_ID)
_COMPANY_CONTACT: Final = Route(
    "intercom.contacts", _CONTACT_ID, secondary=SecondaryRoute("company", "intercom.companies", (("company", "id"),))
)
_CONVERSATION: Final = Route(
    "intercom.conversations",
    (("id",), ("conversation_id",), ("conversation", "id"), ("conversation", "model", "id")),
)
_TICKET: Final = Route(
    "intercom.conversations", (("ticket", "id"), ("id",))
)  # in ticket.closed it is one level deeper since 2.15
_ADMIN: Final = Route("intercom.admins", _OWN_ID, by_app=True)
_ARTICLE: Final = Route("intercom.articles", _OWN_ID)

_BY_ROUTE: Final[tuple[tuple[Route, tuple[str, ...]], ...]] = (
    (_CONTACT, (
        "contact.user.created", "contact.user.updated",
        "contact.lead.created", "contact.lead.updated", "contact.lead.added_email", "contact.lead.signed_up",
        "contact.email.updated", "contact.deleted",
        "contact.archived", "contact.archive", "contact.unarchived", "contact.unarchive",  # Intercom sends both names
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
    (_COMPANY_CONTACT, ("company.contact.attached", "company.contact.detached")),
)  # fmt: skip

ROUTES: Final[Mapping[str, Route]] = MappingProxyType({topic: route for route, topics in _BY_ROUTE for topic in topics})
"""Routes by whole topic name: an unknown topic about contacts or companies may mean anything, so it has no route."""

FAMILIES: Final[Mapping[str, Route]] = MappingProxyType({
    "admin": _ADMIN, "article": _ARTICLE, "conversation": _CONVERSATION, "conversation_part": _CONVERSATION, "ticket": _TICKET,
})  # fmt: skip
"""Routes by the first word of a topic: these families grow with every API version, and all are about the entity named first."""

UNREAD_FAMILIES: Final = frozenset({
    "api", "audience", "call", "content_import_source", "content_snippet", "content_stat", "data_connector", "event", "job",
    "messenger", "ping", "procedure",
})  # fmt: skip
"""First words of topics that Intercom documents and no agent reads."""


def destinations(notification: Envelope) -> tuple[Destination, ...]:
    """Return all destinations of a notification; `intercom.other` where the route or the entity's id is missing."""
    route = route_of(notification.topic)
    if route is None:
        return (other_destination(notification),)
    entity = _entity(notification.item, route.entity)
    primary = _destination(notification, route, entity) if entity or route.by_app else other_destination(notification)
    if route.secondary is None:
        return (primary,)
    secondary_entity = _entity(notification.item, route.secondary.entity)
    if secondary_entity is None:
        return (primary,)
    return (primary, _secondary_destination(notification, route.secondary, secondary_entity))


def other_destination(notification: Envelope) -> Destination:
    """Return the destination of a notification that no agent reads."""
    return Destination(topic=OTHER, key=f"{notification.app_id}:{notification.id}", id=notification.id)


@lru_cache(maxsize=1024)  # Intercom has some two hundred topics
def route_of(topic: str) -> Route | None:
    """Return the route of a topic of Intercom's, by its whole name and then by its first word."""
    return ROUTES.get(topic) or FAMILIES.get(topic.partition(".")[0])


def is_known_topic(topic: str) -> bool:
    """Return whether Intercom documents this topic or its family, read by an agent or not."""
    return route_of(topic) is not None or topic.partition(".")[0] in UNREAD_FAMILIES


@lru_cache(maxsize=1024)
def event_type(topic: str) -> str:
    """Return the CloudEvents type of a topic, `intercom.` and its name; `intercom.unknown` where the name is not a valid one."""
    return f"intercom.{topic}" if len(topic) <= _LONGEST_TYPE and _TYPE.fullmatch(topic) else _UNKNOWN_TYPE


def _destination(notification: Envelope, route: Route, entity: str | None) -> Destination:
    key = notification.app_id if route.by_app else f"{notification.app_id}:{entity}"
    return Destination(topic=route.topic, key=key, id=notification.id, entity=entity)


def _secondary_destination(notification: Envelope, route: SecondaryRoute, entity: str) -> Destination:
    return Destination(
        topic=route.topic,
        key=f"{notification.app_id}:{entity}",
        id=derived(notification.id, route.part),
        entity=entity,
        causation=notification.id,
    )


class _PathFields(msgspec.Struct, frozen=True):
    """The fields on the paths to an entity's id; the rest of an object is skipped, not decoded."""

    id: msgspec.Raw = NULL
    conversation_id: msgspec.Raw = NULL
    contact: msgspec.Raw = NULL
    user: msgspec.Raw = NULL
    company: msgspec.Raw = NULL
    conversation: msgspec.Raw = NULL
    ticket: msgspec.Raw = NULL
    model: msgspec.Raw = NULL
    merged_from: msgspec.Raw = NULL


_PATH_FIELDS: Final = msgspec.json.Decoder(_PathFields)


def _entity(item: msgspec.Raw, paths: tuple[Path, ...]) -> str | None:
    """Return the first id on the paths; Intercom sends 0 for no entity."""
    root = _path_fields(item)
    for path in paths:
        fields = root
        for field in path[:-1]:
            fields = fields and _path_fields(getattr(fields, field))
        id_ = name(getattr(fields, path[-1])) if fields else None
        if id_ and id_ != "0":
            return id_
    return None


def _path_fields(raw: msgspec.Raw) -> _PathFields | None:
    try:
        return _PATH_FIELDS.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None
