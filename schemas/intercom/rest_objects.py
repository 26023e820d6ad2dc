"""Objects read over Intercom's REST API, as records of the inbound topics: the bytes that Intercom sent, and in headers how they were read.

A webhook's value is a notification; that of these records is the object itself. `ce_readas` and `ce_requestedat` make the
difference: an object in a list may be older than the request for it, one read by its id is not.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.canonical import digest
from schemas.cloudevents import JSON, EventContext, Origin
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.message import Headers, Message, header

READ_AS: Final = "ce_readas"
REQUESTED_AT: Final = "ce_requestedat"  # ms since 1970 by Intercom's clock, in decimal: when the object was surely not yet read
SUCCESSOR: Final = "ce_successor"  # the contact that the record's contact was merged into
_TYPE: Final = "intercom.rest."
_LATEST: Final = 253_402_300_800_000  # the year 10000


class ReadAs(StrEnum):
    """How Intercom showed an object, or that it is gone."""

    BY_ID = "by_id"
    LISTED = "listed"
    MERGED = "merged"  # the value is an entry of the successor's merge history, or the answer 410
    MISSING = "missing"  # the value is the answer 404
    HISTORY = "history"  # an entry of a log, of the time before a workspace was connected: nothing follows from it


ACTIVITY_LOG: Final = "activity_log"

TOPICS: Final[Mapping[str, str]] = MappingProxyType({
    "contact": "intercom.contacts",
    "company": "intercom.companies",
    "conversation": "intercom.conversations",
    "ticket": "intercom.conversations",
    "article": "intercom.articles",
    ACTIVITY_LOG: "intercom.admins",
    "tag": "intercom.other",
    "segment": "intercom.other",
    "data_attribute": "intercom.other",
})  # fmt: skip
"""The topic of each type of object: where Intercom's webhooks about such objects go, `intercom.other` where there are none."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One object of a workspace as it was read: `type` is a key of `TOPICS`, `entity` Intercom's id, `requested_at` in ms."""

    app_id: str
    type: str
    entity: str
    value: bytes
    read_as: ReadAs
    requested_at: int
    successor: str | None = None

    @property
    def topic(self) -> str:
        return TOPICS[self.type]

    @property
    def key(self) -> str:
        """Keys are those of the topic: the workspace for what is in one order for all of it, the event where objects have no order."""
        match self.topic:
            case "intercom.admins":
                return self.app_id
            case "intercom.other":
                return f"{self.app_id}:{self.id}"
        return f"{self.app_id}:{self.entity}"

    @property
    def id(self) -> str:
        """The same bytes, read in the same way, are the same event, however often they are read; that a thing is gone, once a request."""
        when = None if self.read_as in (ReadAs.BY_ID, ReadAs.LISTED) else self.requested_at
        return derived(self.app_id, self.type, self.entity, self.read_as, self.successor, when, digest(self.value))

    def headers(self, origin: Origin, now: int) -> list[tuple[str, bytes]]:
        """Return the record's headers; `now` is when it is written, in ms."""
        own = [("ce_id", self.id.encode()), ("ce_subject", self.entity.encode()), ("ce_partitionkey", self.key.encode())]
        if self.successor is not None:
            own.append((SUCCESSOR, self.successor.encode()))
        return [*own, *_headers_of_page((self.app_id, self.type), origin, self.read_as, self.requested_at, now)]


@lru_cache(maxsize=256)  # all objects of a page have these, and making them is most of the work
def _headers_of_page(
    of: tuple[str, str], origin: Origin, read_as: ReadAs, requested_at: int, now: int
) -> tuple[tuple[str, bytes], ...]:
    app_id, type_ = of
    context = EventContext(
        id="", source=f"/intercom/{app_id}", type=f"{_TYPE}{type_}", origin=origin, time=requested_at, recorded=now,
        content_type=JSON,
    )  # fmt: skip
    shared = [header for header in context.headers() if header[0] != "ce_id"]
    return (*shared, (READ_AS, read_as.encode()), (REQUESTED_AT, str(requested_at).encode()))


def reading_in(record: Message) -> Reading:
    """Return the object that a record of an inbound topic has. Raises InvalidRecord for headers that are not those of a reading."""
    read_as, requested_at, successor = how_read(record.headers)
    app_id, _, entity = (record.key or b"").decode("utf-8", "replace").partition(":")
    return Reading(
        app_id=app_id,
        type=(header(record.headers, "ce_type") or "").removeprefix(_TYPE),
        entity=entity,
        value=record.value or b"",
        read_as=read_as,
        requested_at=requested_at,
        successor=successor,
    )


def how_read(headers: Headers) -> tuple[ReadAs, int, str | None]:
    """Return how a record's object was read, when, and its successor. Raises InvalidRecord for headers that are not those of a reading."""
    texts = {name: value.decode("utf-8", "replace") for name, value in headers}
    try:
        read_as, requested = ReadAs(texts[READ_AS]), int(texts[REQUESTED_AT])
    except (KeyError, ValueError):
        raise InvalidRecord(
            f"the headers {READ_AS} and {REQUESTED_AT} do not say how the object was read; only backfill and sync write them"
        ) from None
    if not 0 < requested < _LATEST:
        raise InvalidRecord(f"the header {REQUESTED_AT} is no time in milliseconds since 1970")
    return read_as, requested, texts.get(SUCCESSOR)
