"""The routes of Intercom's notifications: from Intercom's topics to this product's, and to the id of the entity each is about.

A notification goes to one topic, keyed by the entity it changes. Some have secondary records too, each with an id of its own:
`company.contact.*` for the company, `contact.merged` for the contact that was merged away, and what a contact does or what happens to
it, as an activity. An activity that names no contact by Intercom's id has the key of the value that it names, `app_id:@KIND:VALUE`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

import msgspec

from schemas.ids import derived
from schemas.intercom.envelope import NULL, Envelope, name

OTHER: Final = "intercom.other"
ACTIVITIES: Final = "intercom.activities"
MERGED_FROM: Final = "merged_from"  # the part of a merge for the contact that was merged away
TOPICS: Final = (
    "intercom.contacts", "intercom.companies", "intercom.conversations", "intercom.admins", "intercom.articles", ACTIVITIES, OTHER,
)  # fmt: skip
"""Every topic that a notification can go to."""
_TYPE: Final = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_LONGEST_TYPE: Final = 100

_UNKNOWN_TYPE: Final = "intercom.unknown"
Path = tuple[str, ...]


class SecondaryRoute(msgspec.Struct, frozen=True):
    """The route of a secondary record; its id is derived from the notification's and `part`. Without paths of its own it has the first one's entity."""

    part: str
    topic: str
    entity: tuple[Path, ...] | None = None


class Route(msgspec.Struct, frozen=True):
    """A topic, and the paths in `data.item` of the entity's id (the first that exists wins). `by_app`: keyed by the workspace.

    `values` are the paths of what else names a contact, each with the kind of value it is, where none has an id.
    """

    topic: str
    entity: tuple[Path, ...]
    by_app: bool = False
    secondary: tuple[SecondaryRoute, ...] = ()
    values: tuple[tuple[str, Path], ...] = ()


class Destination(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Where one record of a notification goes. Of a secondary one `causation` is the notification's id, and `part` its route's."""

    topic: str
    key: str
    id: str
    entity: str | None = None
    causation: str | None = None
    part: str = ""


OWN_ID: Final[Path] = ("id",)
_OWN_ID: Final[tuple[Path, ...]] = (OWN_ID,)
_CONTACT_ID: Final[tuple[Path, ...]] = (("contact", "id"), ("user", "id"))
_ACTIVITY: Final = SecondaryRoute("activity", ACTIVITIES)
"""An event of a contact is sent again as an activity: a topic has one agent that reads it."""

_CONTACT: Final = Route("intercom.contacts", _OWN_ID)
_LIFE_OF_CONTACT: Final = Route("intercom.contacts", _OWN_ID, secondary=(_ACTIVITY,))
_ABOUT_CONTACT: Final = Route("intercom.contacts", _CONTACT_ID, secondary=(_ACTIVITY,))
_SUBSCRIPTION: Final = Route(
    "intercom.contacts",
    (*_CONTACT_ID, ("id",)),  # version 1 of the API posted the user itself
    secondary=(_ACTIVITY,),
)
_MERGED: Final = Route(
    "intercom.contacts",
    _OWN_ID,
    secondary=(SecondaryRoute(MERGED_FROM, "intercom.contacts", (("merged_from", "id"),)), _ACTIVITY),
)
_COMPANY: Final = Route("intercom.companies", _OWN_ID)
_COMPANY_CONTACT: Final = Route(
    "intercom.contacts",
    _CONTACT_ID,
    secondary=(SecondaryRoute("company", "intercom.companies", (("company", "id"),)), _ACTIVITY),
)
_HAPPENING: Final = Route(
    ACTIVITIES,
    (
        ("contact", "id"), ("contact_id",), ("intercom_user_id",), ("user", "id"),
        ("call", "contact_id"), ("call", "contact", "id"), ("content_stat", "contact_id"), ("event", "intercom_user_id"),
        ("contacts",),
    ),
    values=(
        ("external_id", ("user_id",)), ("external_id", ("external_id",)), ("external_id", ("contact", "external_id")),
        ("external_id", ("user", "user_id")), ("external_id", ("event", "user_id")),
        ("email", ("email",)), ("email", ("contact", "email")), ("email", ("user", "email")), ("email", ("event", "email")),
    ),
)  # fmt: skip
"""Calls, events and statistics of contents: their shapes are documented thinly, so a contact is looked for wherever one can be."""

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
        "contact.user.updated", "contact.lead.updated", "contact.deleted",
        "contact.updated", "user.updated", "user.deleted",  # API 1.x
    )),
    (_LIFE_OF_CONTACT, (
        "contact.user.created", "contact.lead.created", "contact.lead.added_email", "contact.lead.signed_up", "contact.email.updated",
        "contact.archived", "contact.archive", "contact.unarchived", "contact.unarchive",  # Intercom sends both names
        "contact.created", "contact.signed_up", "contact.added_email",  # API 1.x
        "user.created", "user.email.updated",  # API 1.x
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
    "call": _HAPPENING, "content_stat": _HAPPENING, "event": _HAPPENING,
})  # fmt: skip
"""Routes by the first word of a topic: these families grow with every API version, and all are about the entity named first."""

UNREAD_FAMILIES: Final = frozenset({
    "api", "audience", "content_import_source", "content_snippet", "data_connector", "job", "messenger", "ping", "procedure",
})  # fmt: skip
"""First words of topics that Intercom documents and no agent reads."""


def destinations(notification: Envelope) -> tuple[Destination, ...]:
    """Return all destinations of a notification; `intercom.other` where the route or the entity's id is missing."""
    route = route_of(notification.topic)
    if route is None:
        return (other_destination(notification),)
    decoder = _HAPPENING_FIELDS if route.values else _PATH_FIELDS
    fields = _decoded(notification.item, decoder)
    entity = _entity(fields, route.entity, decoder) or _value(fields, route.values, decoder)
    primary = _destination(notification, route, entity) if entity or route.by_app else other_destination(notification)
    if not route.secondary:
        return (primary,)
    found = [
        (secondary, entity if secondary.entity is None else _entity(fields, secondary.entity, decoder))
        for secondary in route.secondary
    ]
    return (primary, *[_secondary_destination(notification, secondary, each) for secondary, each in found if each])


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
        part=route.part,
    )


class _PathFields(msgspec.Struct, frozen=True, gc=False):
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


class _HappeningFields(_PathFields, frozen=True):
    """The same for calls, events and statistics of contents."""

    contact_id: msgspec.Raw = NULL
    intercom_user_id: msgspec.Raw = NULL
    user_id: msgspec.Raw = NULL
    external_id: msgspec.Raw = NULL
    email: msgspec.Raw = NULL
    call: msgspec.Raw = NULL
    event: msgspec.Raw = NULL
    content_stat: msgspec.Raw = NULL
    contacts: msgspec.Raw = NULL
    data: msgspec.Raw = NULL


_Decoder = msgspec.json.Decoder[Any]
_PATH_FIELDS: Final[_Decoder] = msgspec.json.Decoder(_PathFields)
_HAPPENING_FIELDS: Final[_Decoder] = msgspec.json.Decoder(_HappeningFields)
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_LONGEST_VALUE: Final = 320  # bytes of a key's value once it is quoted; an address is at most 254 characters
_CONTACTS: Final[Path] = ("contacts",)


def _entity(fields: Any, paths: tuple[Path, ...], decoder: _Decoder) -> str | None:
    """Return the first id on the paths of an object's fields; Intercom sends 0 for no entity."""
    for path in paths:
        id_ = _only_contact(fields) if path == _CONTACTS else _text(fields, path, decoder)
        if id_ and id_ != "0":
            return id_
    return None


def _value(fields: Any, paths: tuple[tuple[str, Path], ...], decoder: _Decoder) -> str | None:
    """Return the first value on the paths as the entity of a key, `@KIND:VALUE`: quoted, so that it holds no separator of keys."""
    for kind, path in paths:
        value = _text(fields, path, decoder)
        quoted = quote((value or "").strip(), safe="@+")
        if quoted and len(quoted) <= _LONGEST_VALUE:
            return f"@{kind}:{quoted}"
    return None


def _only_contact(fields: Any) -> str | None:
    """Return the id of the only contact in a list of contacts, plain or in an object, however often it is there; of several none: each would have a key of its own."""
    for _ in range(2):
        if fields is None:
            return None
        try:
            entries = _LIST.decode(fields.contacts if bytes(fields.contacts) != bytes(NULL) else fields.data)
        except (msgspec.MsgspecError, RecursionError):
            fields = _decoded(fields.contacts, _HAPPENING_FIELDS)
            continue
        ids = {_text(_decoded(entry, _PATH_FIELDS), OWN_ID, _PATH_FIELDS) for entry in entries}
        return ids.pop() if len(ids) == 1 else None
    return None


def _text(fields: Any, path: Path, decoder: _Decoder) -> str | None:
    for field in path[:-1]:
        fields = fields and _decoded(getattr(fields, field), decoder)
    return name(getattr(fields, path[-1])) if fields else None


def _decoded(raw: msgspec.Raw, decoder: _Decoder) -> Any:
    if raw is NULL:  # an exception costs more than all else here
        return None
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None
