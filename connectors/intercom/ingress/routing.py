"""Converts the bytes of an authentic post to the records to publish. Pure: bytes and an instant in, records out."""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec

from connectors.kafka.publisher import OutboundRecord
from connectors.observability.tracing import PostSpan
from schemas.canonical import digest
from schemas.cloudevents import JSON, SPEC_VERSION, EventContext, Origin, constant_headers, timestamp_bytes
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.envelope import CONTENT_ENCODING, NULL, Envelope, TooLarge, envelope, inflate
from schemas.intercom.envelope import name as name_of
from schemas.intercom.plain import PlainNotification, plain_notification
from schemas.intercom.routes import (
    ACTIVITIES,
    OTHER,
    OWN_ID,
    Destination,
    destinations,
    event_type,
    is_known_topic,
    other_destination,
    route_of,
)
from schemas.tenancy import Tenancy
from schemas.workspaces import HELD, HELD_FOR, WorkspaceStatus

_UNREADABLE: Final = "unreadable"  # the app_id and the topic recorded for a body that cannot be parsed
_JSON: Final = JSON.decode()
_CALLBACK: Final = "callback"
_OF_PROFILES: Final = frozenset(
    {"intercom.contacts", "intercom.companies", "intercom.conversations", "intercom.articles", ACTIVITIES}
)
_HELD_WHILE: Final = {
    WorkspaceStatus.PAUSED: _OF_PROFILES, WorkspaceStatus.ARCHIVED: _OF_PROFILES | {"intercom.admins"},
}  # fmt: skip
NO_STATES: Final[Mapping[str, WorkspaceStatus]] = {}
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_PLANS: Final = 4096  # workspaces times topics that post; a plan that is not there is made again
_HEADER_LIMIT: Final = 255  # bytes of a request header that is copied to a record


class Quarantine(StrEnum):
    """Why a post went to `intercom.other`."""

    UNREADABLE = "unreadable"  # not UTF-8, not JSON, not gzip, nested too deeply
    WRONG_APP = "stranger"  # an app_id that is not configured
    SET_ASIDE = "set_aside"  # a known topic that no agent reads, ping included
    UNKNOWN = "unknown"  # a topic that is not in Intercom's documentation
    NO_ID = "nameless"  # the entity's id is not where this topic should have it
    CALLBACK = "callback"  # a health check or an uninstall
    DELETED = "deleted"  # a workspace that an operator has deleted, and that is still configured


class AuthenticPost(NamedTuple):
    """A verified post before it is parsed. `signers` are the apps whose secret made its signature."""

    body: bytes
    signers: frozenset[str]
    content_type: bytes | None = None
    encoding: bytes | None = None
    trace_parent: bytes | None = None


class RoutedPost(NamedTuple):
    """The records of a post, the name under which it is counted, and the reason for its quarantine, if any.

    `configured` is whether the workspace that a callback names is configured.
    """

    records: tuple[OutboundRecord, ...]
    name: str
    quarantine: Quarantine | None = None
    configured: bool = True
    span: PostSpan | None = None  # where posts are traced


class WrongApp(InvalidRecord):
    """A post for a configured workspace was signed by another app."""


class Router:
    """Routes posts, given the configured workspaces and the function that names a topic on the broker."""

    def __init__(
        self, tenancy: Tenancy, topic_name: Callable[[str], str], states: Mapping[str, WorkspaceStatus] = NO_STATES
    ) -> None:
        self._states = states  # of workspaces that are not active
        self._apps = {workspace.app_id: workspace.app for workspace in tenancy.workspaces.values()}
        self._name = topic_name
        self._plan = lru_cache(maxsize=_PLANS)(self._make_plan)  # of this router's own workspaces

    def webhook(self, post: AuthenticPost, now: int) -> RoutedPost:
        """Route a webhook. Raises `WrongApp` for a workspace of another app, `TooLarge` for one inflated beyond the limit."""
        plain = plain_notification(post.body) if post.encoding is None else None
        if (
            plain is not None
            and plain.app_id not in self._states
            and (plan := self._plan(plain.app_id, plain.topic, post.content_type)) is not None
        ):
            if plan.app not in post.signers:
                raise _wrong_app()
            return plan.routed(post, plain, now)
        return self._by_envelope(post, now)

    def _by_envelope(self, post: AuthenticPost, now: int) -> RoutedPost:
        try:
            notification = envelope(_json(post))
        except TooLarge:
            raise
        except InvalidRecord:
            return self._quarantined(post, _unreadable_envelope(post.body), Quarantine.UNREADABLE, now)
        app = self._apps.get(notification.app_id)
        if app is None:
            return self._quarantined(post, notification, Quarantine.WRONG_APP, now, name=notification.app_id)
        if app not in post.signers:
            raise _wrong_app()
        targets = destinations(notification)
        if (state := self._states.get(notification.app_id)) is not None:
            return self._of_inactive(post, notification, targets, state, now)
        records = tuple([self._record(post, notification, target, now) for target in targets])
        return RoutedPost(records, _label(notification.topic), _quarantine(notification, targets[0]))

    def _of_inactive(
        self, post: AuthenticPost, notification: Envelope, targets: Sequence[Destination], state: WorkspaceStatus, now: int
    ) -> RoutedPost:
        """Hold the posts of a workspace that is paused or archived; those about teammates decide access, and only an archived one's are held."""
        if state is WorkspaceStatus.DELETED:
            return self._quarantined(post, notification, Quarantine.DELETED, now)
        records = [self._record(post, notification, target, now) for target in targets]
        for index, target in enumerate(targets):
            if target.topic in _HELD_WHILE[state]:
                held = [*records[index].headers, (HELD_FOR, target.topic.encode())]
                records[index] = msgspec.structs.replace(records[index], topic=self._name(HELD), headers=held)
        return RoutedPost(tuple(records), _label(notification.topic), _quarantine(notification, targets[0]))

    def callback(self, post: AuthenticPost, now: int) -> RoutedPost:
        """Route a health check or an uninstall. Raises `WrongApp` where the body names a workspace of another app."""
        try:
            data = _json(post)
            parsed = envelope(data)
        except TooLarge:
            raise
        except InvalidRecord:
            parsed = _unreadable_envelope(post.body)
        else:
            parsed = msgspec.structs.replace(parsed, app_id=parsed.app_id or _workspace_id(data))
        app = self._apps.get(parsed.app_id)
        if app is not None and app not in post.signers:
            raise WrongApp("the callback is signed by another app than the one this workspace is configured for")
        notification = msgspec.structs.replace(parsed, topic=parsed.topic or _CALLBACK)
        return self._quarantined(post, notification, Quarantine.CALLBACK, now)._replace(configured=app is not None)

    def _make_plan(self, app_id: str, topic: str, content_type: bytes | None) -> "_Plan | None":
        """Return how to route the plain notifications of a workspace and topic; None where the envelope has to decide."""
        app, route = self._apps.get(app_id), route_of(topic)
        if app is None or route is None or route.entity[0] != OWN_ID or route.by_app:
            return None
        if any(secondary.entity is not None for secondary in route.secondary):
            return None
        constants = constant_headers(_source(app_id), event_type(topic), Origin.WEBHOOK, _content_type(content_type))
        secondary = tuple((each.part, self._name(each.topic)) for each in route.secondary)
        return _Plan(app, self._name(route.topic), f"{app_id}:", constants, _label(topic), secondary)

    def _quarantined(
        self, post: AuthenticPost, notification: Envelope, reason: Quarantine, now: int, name: str | None = None
    ) -> RoutedPost:
        record = self._record(post, notification, other_destination(notification), now)
        return RoutedPost((record,), _label(name or notification.topic), reason)

    def _record(self, post: AuthenticPost, notification: Envelope, target: Destination, now: int) -> OutboundRecord:
        event = EventContext(
            id=target.id,
            source=_source(notification.app_id),
            type=event_type(notification.topic),
            origin=Origin.WEBHOOK,
            time=None if notification.created_at is None else notification.created_at * 1000,
            recorded=now,
            subject=target.entity,
            partition_key=target.key,
            causation_id=target.causation,
            trace_parent=_printable(post.trace_parent),
            content_type=_content_type(post.content_type),
        )
        headers = event.headers()
        if post.encoding:
            headers.append((CONTENT_ENCODING, (_printable(post.encoding) or _UNREADABLE).encode()))
        return OutboundRecord(self._name(target.topic), target.key.encode(), post.body, headers, now)


class _Plan(NamedTuple):
    """What all plain notifications of a workspace and topic share: the app that signs them, the topic, and constant headers.

    `secondary` are the parts and topics of further records about the same entity.
    """

    app: str
    topic: str
    key_prefix: str
    constant_headers: tuple[tuple[str, bytes], ...]
    name: str
    secondary: tuple[tuple[str, str], ...]

    def routed(self, post: AuthenticPost, plain: PlainNotification, now: int) -> RoutedPost:
        """Return the records that the envelope's way would make, with what differs filled in."""
        entity = plain.data.item.id
        key = (self.key_prefix + entity).encode()
        headers = [
            SPEC_VERSION,
            ("ce_id", plain.id.encode()),
            *self.constant_headers,
            ("ce_subject", entity.encode()),
            ("ce_time", timestamp_bytes(plain.created_at * 1000)),
            ("ce_recordedtime", timestamp_bytes(now)),
            ("ce_partitionkey", key),
        ]
        trace = []
        if post.trace_parent is not None and (trace_parent := _printable(post.trace_parent)) is not None:
            trace.append(("traceparent", trace_parent.encode()))
        records = [OutboundRecord(self.topic, key, post.body, headers + trace, now)]
        for part, topic in self.secondary:
            own_id, causation = ("ce_id", derived(plain.id, part).encode()), ("ce_causationid", plain.id.encode())
            records.append(OutboundRecord(topic, key, post.body, [SPEC_VERSION, own_id, *headers[2:], causation, *trace], now))
        return RoutedPost(tuple(records), self.name)


def _wrong_app() -> WrongApp:
    return WrongApp("the post is signed by another app than the one this workspace is configured for")


class _HealthCheck(msgspec.Struct, frozen=True):
    """Where a health check names the workspace, instead of `app_id`."""

    workspace_id: msgspec.Raw = NULL


_HEALTH_CHECK: Final = msgspec.json.Decoder(_HealthCheck)


def _workspace_id(data: bytes) -> str:
    try:
        return name_of(_HEALTH_CHECK.decode(data).workspace_id) or ""
    except msgspec.MsgspecError:  # an unpaired surrogate somewhere, which the envelope's decoder replaces
        return ""


@lru_cache(maxsize=1024)  # all posts of a workspace have the same source
def _source(app_id: str) -> str:
    return f"/intercom/{quote(app_id, safe='')}"


def _json(post: AuthenticPost) -> bytes:
    """Return the JSON of a post, inflated if need be; the record carries the bytes as received."""
    if post.encoding is None:
        return post.body
    if post.encoding != b"gzip":
        raise InvalidRecord("the body is in an encoding other than gzip")
    return inflate(post.body)


def _unreadable_envelope(body: bytes) -> Envelope:
    return Envelope(id=derived("body", digest(body)), topic=_UNREADABLE, app_id=_UNREADABLE, created_at=None, item=NULL)


def _quarantine(notification: Envelope, target: Destination) -> Quarantine | None:
    if target.topic != OTHER:
        return None
    if not is_known_topic(notification.topic):
        return Quarantine.UNKNOWN
    return Quarantine.NO_ID if route_of(notification.topic) else Quarantine.SET_ASIDE


@lru_cache(maxsize=256)  # posts carry the same few values
def _printable(value: bytes | None) -> str | None:
    """Return a header's text if it is printable ASCII within the limit, else None: the signature does not cover headers."""
    if value is None or len(value) > _HEADER_LIMIT or not value.isascii():
        return None
    text = value.decode("ascii")
    return text if text.isprintable() else None


def _content_type(value: bytes | None) -> bytes:
    return (_printable(value) or _JSON).encode()


@lru_cache(maxsize=1024)  # Intercom has some two hundred topics
def _label(name: str) -> str:
    """Return a name that can be a metric's label: the name comes from outside."""
    return name if _NAME.fullmatch(name) else _UNREADABLE
