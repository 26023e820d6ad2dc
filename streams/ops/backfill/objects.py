"""The types of object that can be read, in the order in which they are: teammates first, since they decide access."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from connectors.intercom.rest import listings
from connectors.intercom.rest.answers import decoded
from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.paging import Listing, Page
from connectors.intercom.rest.windows import FIRST
from connectors.kafka.fact_log import fact_record
from connectors.kafka.transaction import TopicRecord
from schemas.access.facts import TOPIC as FACTS
from schemas.access.facts import Actor
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.directory.lists import TOPIC as DIRECTORY_LISTS
from schemas.directory.lists import ListKind, list_records
from schemas.intercom.rest_objects import ACTIVITY_LOG, ReadAs, Reading
from schemas.intercom.values import identifier_or_none
from streams.core.access.facts.snapshot_from_intercom import TeammateReading, snapshot_facts
from streams.ops.backfill.conversation_parts import whole_conversation

TEAMMATES, CONTACTS, COMPANIES, TEAMS = "teammates", "contacts", "companies", "teams"
CONVERSATIONS, TICKETS = "conversations", "tickets"
READER: Final = Actor(kind="connector", id="intercom.rest")
LOG_DAYS: Final = 365  # how far back a first reading of the activity log reaches; Intercom shows a year of it
_CONVERSATIONS_PER_PAGE: Final = 50  # what is read again after a crash, each by a call of its own
_DAY: Final = 86_400


class ReadingContext(NamedTuple):
    """Whose objects are read, why, and since when (seconds since 1970; None: all). `until` is when the reading began."""

    tenant: str
    app_id: str
    origin: Origin
    since: int | None
    until: int
    version: str


class PageRecords(NamedTuple):
    """The records of a page, how many objects they are, how many of the page have no id, and how many Intercom did not show whole."""

    records: list[TopicRecord]
    objects: int
    without_id: int
    not_whole: int = 0


class ObjectType(NamedTuple):
    """How a type of object is listed, and the type of its readings.

    `snapshot` makes records of a list as a whole, where it says also who is gone. `whole` is a listing that cannot be continued. `complete` reads by an object's id what lists leave out of it, and says whether that is all.
    """

    listing: Callable[[ReadingContext], Listing]
    type: str
    whole: bool = False
    complete: Callable[[RestClient, Reading], Awaitable[tuple[Reading, bool]]] | None = None
    snapshot: Callable[[ReadingContext, Avro, Page], PageRecords] | None = None


class _Identified(msgspec.Struct):
    id: Any = None
    model: Any = None
    full_name: Any = None
    name: Any = None


_identified: Final = msgspec.json.Decoder(_Identified)


def _contacts(context: ReadingContext) -> Listing:
    if context.since is None:
        return listings.all_contacts(context.until, context.version)
    return listings.contacts_updated(context.since, context.until + 1, context.version)


def _conversations(context: ReadingContext) -> Listing:
    if context.since is None:
        return listings.all_conversations(context.until, _CONVERSATIONS_PER_PAGE)
    return listings.conversations_updated(context.since, context.until + 1, _CONVERSATIONS_PER_PAGE)


def _log(context: ReadingContext) -> Listing:
    since = context.until - LOG_DAYS * _DAY if context.since is None else context.since
    return listings.activity_logs(since - 1, context.until + 1)


async def page_records(
    object_type: ObjectType, client: RestClient, context: ReadingContext, avro: Avro, page: Page
) -> PageRecords:
    """Return the records of a page, after reading what the list left out of its objects."""
    if object_type.snapshot is not None:
        return object_type.snapshot(context, avro, page)
    history = object_type.type == ACTIVITY_LOG and context.origin is Origin.BACKFILL
    listed = readings_of(context.app_id, object_type.type, page, ReadAs.HISTORY if history else ReadAs.LISTED)
    complete, now = object_type.complete, time.time_ns() // 1_000_000
    found = [(each, True) for each in listed]
    if complete is not None:
        found = list(await asyncio.gather(*(complete(client, each) for each in listed)))
    records = [TopicRecord(each.topic, each.key.encode(), each.value, each.headers(context.origin, now)) for each, _ in found]
    return PageRecords(records, len(listed), len(page.items) - len(listed), sum(not is_whole for _, is_whole in found))


def _teammates(context: ReadingContext, avro: Avro, page: Page) -> PageRecords:
    """Return a snapshot of the workspace's teammates, as `access snapshot` appends it, and the list for the directory."""
    body = b'{"type":"admin.list","admins":[' + b",".join(page.items) + b"]}"
    reading = TeammateReading(
        tenant=context.tenant, app_id=context.app_id, requested=page.requested_at, body=body, file="GET /admins", actor=READER
    )
    facts = [TopicRecord(FACTS, *fact_record(avro, fact)) for fact in snapshot_facts(reading)]
    return PageRecords(facts + _list_of(ListKind.ADMINS, context, page), len(facts) - 2, 0)


def _teams(context: ReadingContext, avro: Avro, page: Page) -> PageRecords:
    return PageRecords(_list_of(ListKind.TEAMS, context, page), len(page.items), 0)


def _list_of(kind: ListKind, context: ReadingContext, page: Page) -> list[TopicRecord]:
    """Return a list for the directory: Intercom answers teammates and teams on one page."""
    now = time.time_ns() // 1_000_000
    records = list_records(context.app_id, kind, page.items, requested_at=page.requested_at, origin=context.origin, now=now)
    return [TopicRecord(DIRECTORY_LISTS, each.key.encode(), each.value, each.headers) for each in records]


def readings_of(app_id: str, type_: str, page: Page, read_as: ReadAs = ReadAs.LISTED) -> list[Reading]:
    """Return the objects of a page that have an id."""
    found = ((item, _entity(type_, item)) for item in page.items)
    return [
        Reading(
            app_id=app_id, type=type_, entity=entity, value=item, read_as=read_as, requested_at=page.requested_at
        )
        for item, entity in found
        if entity is not None
    ]  # fmt: skip


def _entity(type_: str, item: bytes) -> str | None:
    """Return an object's id; an attribute that Intercom has itself has none, but a model and a name.

    One that has half of a surrogate pair in a text is written too: what cannot be understood is kept as a dead letter.
    """
    try:
        found = _identified.decode(item)
    except msgspec.DecodeError:
        fields = decoded(item)
        if not isinstance(fields, dict):
            return None
        found = msgspec.convert(fields, _Identified)
    if type_ == "data_attribute":
        name = found.full_name or found.name
        return f"{found.model}.{name}" if isinstance(found.model, str) and isinstance(name, str) else None
    return identifier_or_none(found.id)


OBJECTS: Final[Mapping[str, ObjectType]] = MappingProxyType({
    TEAMMATES: ObjectType(lambda _: listings.teammates(), "teammate", snapshot=_teammates),
    CONTACTS: ObjectType(_contacts, "contact"),
    COMPANIES: ObjectType(lambda _: listings.companies(), "company", whole=True),
    CONVERSATIONS: ObjectType(_conversations, "conversation", complete=whole_conversation),
    TICKETS: ObjectType(lambda each: listings.tickets_updated(each.since or FIRST, each.until + 1), "ticket"),
    TEAMS: ObjectType(lambda _: listings.teams(), "team", snapshot=_teams),
    "tags": ObjectType(lambda _: listings.tags(), "tag"),
    "segments": ObjectType(lambda _: listings.segments(), "segment"),
    "data-attributes": ObjectType(lambda _: listings.data_attributes(), "data_attribute"),
    "articles": ObjectType(lambda each: listings.articles(each.since), "article"),
    "activity-log": ObjectType(_log, ACTIVITY_LOG),
})  # fmt: skip
