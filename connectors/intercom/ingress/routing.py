"""From the bytes of an authentic post to the records it becomes. Pure: bytes and an instant in, records out."""

import re
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote

from connectors.kafka.publisher import OutboundRecord
from schemas.canonical import digest
from schemas.cloudevents import JSON, EventContext, Origin
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.envelope import CONTENT_ENCODING, NOTHING, Envelope, TooLarge, envelope, inflate
from schemas.intercom.routes import OTHER, Destination, destinations, event_type, known, other, route_of
from schemas.tenancy import Tenancy

_UNREADABLE: Final = "unreadable"  # stands for the app_id and the topic of a body that has none to read
_JSON: Final = JSON.decode()
_CALLBACK: Final = "callback"
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_HEADER_LIMIT: Final = 255  # bytes of a header that is taken over from a request


class Quarantine(StrEnum):
    """Why a post went to `intercom.other`."""

    UNREADABLE = "unreadable"  # not UTF-8, not JSON, no gzip, nested too deeply
    WRONG_APP = "stranger"  # an app_id that nobody configured
    SET_ASIDE = "set_aside"  # a topic that is known and that no agent reads, ping included
    UNKNOWN = "unknown"  # a topic that Intercom's documentation does not have
    NO_ID = "nameless"  # the entity's id is not where the topic has it
    CALLBACK = "callback"  # a health check or an uninstall


class AuthenticPost(NamedTuple):
    """What the ingress knows about an authentic post before parsing it. `signers` are the apps whose secret fits."""

    body: bytes
    signers: frozenset[str]
    content_type: bytes | None = None
    encoding: bytes | None = None
    trace_parent: bytes | None = None


class RoutedPost(NamedTuple):
    """The records of a post, the name it is counted by, and why it was set aside, if it was."""

    records: tuple[OutboundRecord, ...]
    name: str
    quarantine: Quarantine | None = None


class WrongApp(InvalidRecord):
    """Say that a post for a configured workspace was signed by another app."""


class Router:
    """Knows the workspaces and the topics' names on the broker."""

    def __init__(self, tenancy: Tenancy, topic_name: Callable[[str], str]) -> None:
        self._apps = {workspace.app_id: workspace.app for workspace in tenancy.workspaces.values()}
        self._name = topic_name

    def webhook(self, post: AuthenticPost, now: int) -> RoutedPost:
        """Route a webhook. Raises `WrongApp` for a workspace of another app, `TooLarge` for one inflated beyond the limit."""
        try:
            note = envelope(_json(post))
        except TooLarge:
            raise
        except InvalidRecord:
            return self._quarantined(post, _unreadable_envelope(post.body), Quarantine.UNREADABLE, now)
        app = self._apps.get(note.app_id)
        if app is None:
            return self._quarantined(post, note, Quarantine.WRONG_APP, now, name=note.app_id)
        if app not in post.signers:
            raise WrongApp("the post is signed by another app than the one this workspace is configured for")
        found = destinations(note)
        records = tuple([self._record(post, note, place, now) for place in found])
        return RoutedPost(records, _label(note.topic), _reason(note, found[0]))

    def callback(self, post: AuthenticPost, now: int) -> RoutedPost:
        """Keep a health check or an uninstall, under the app that signed it where the body names no workspace."""
        try:
            note = envelope(_json(post))
        except TooLarge:
            raise
        except InvalidRecord:
            note = _unreadable_envelope(post.body)
        app = self._apps.get(note.app_id)
        if app is not None and app not in post.signers:
            raise WrongApp("the callback is signed by another app than the one this workspace is configured for")
        named = Envelope(
            id=note.id, topic=note.topic or _CALLBACK, app_id=note.app_id, created_at=note.created_at, item=note.item
        )
        return self._quarantined(post, named, Quarantine.CALLBACK, now)

    def _quarantined(self, post: AuthenticPost, note: Envelope, why: Quarantine, now: int, name: str | None = None) -> RoutedPost:
        return RoutedPost((self._record(post, note, other(note), now),), _label(name or note.topic), why)

    def _record(self, post: AuthenticPost, note: Envelope, place: Destination, now: int) -> OutboundRecord:
        event = EventContext(
            id=place.id,
            source=_source(note.app_id),
            type=event_type(note.topic),
            origin=Origin.WEBHOOK,
            time=None if note.created_at is None else note.created_at * 1000,
            recorded=now,
            subject=place.entity,
            partition_key=place.key,
            causation_id=place.causation,
            trace_parent=_printable(post.trace_parent),
            content_type=(_printable(post.content_type) or _JSON).encode(),
        )
        headers = event.headers()
        if post.encoding:
            headers.append((CONTENT_ENCODING, (_printable(post.encoding) or _UNREADABLE).encode()))
        return OutboundRecord(self._name(place.topic), place.key.encode(), post.body, headers, now)


@lru_cache(maxsize=1024)  # a workspace's posts all have the same
def _source(app_id: str) -> str:
    return f"/intercom/{quote(app_id, safe='')}"


def _json(post: AuthenticPost) -> bytes:
    """Return the JSON of a post; what is kept stays as received."""
    if post.encoding is None:
        return post.body
    if post.encoding != b"gzip":
        raise InvalidRecord("the body is in an encoding other than gzip")
    return inflate(post.body)


def _unreadable_envelope(body: bytes) -> Envelope:
    return Envelope(id=derived("body", digest(body)), topic=_UNREADABLE, app_id=_UNREADABLE, created_at=None, item=NOTHING)


def _reason(note: Envelope, place: Destination) -> Quarantine | None:
    if place.topic != OTHER:
        return None
    if not known(note.topic):
        return Quarantine.UNKNOWN
    return Quarantine.NO_ID if route_of(note.topic) else Quarantine.SET_ASIDE


@lru_cache(maxsize=256)  # posts come with the same few
def _printable(value: bytes | None) -> str | None:
    """Take a header over only where it is plain text of bearable length: it comes from outside the signature."""
    if value is None or len(value) > _HEADER_LIMIT or not value.isascii():
        return None
    text = value.decode("ascii")
    return text if text.isprintable() else None


@lru_cache(maxsize=1024)  # Intercom has some two hundred topics
def _label(name: str) -> str:
    """Spell a name so that it can be a label: it comes from outside."""
    return name if _NAME.fullmatch(name) else _UNREADABLE
