"""The types of object that can be read, in the order in which they are: teammates first, since they decide access."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from connectors.intercom.rest import listings
from connectors.intercom.rest.paging import Listing, Page
from connectors.kafka.fact_log import fact_record
from connectors.kafka.transaction import TopicRecord
from schemas.access.facts import TOPIC as FACTS
from schemas.access.facts import Actor
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.intercom.values import identifier_or_none
from streams.core.access.facts.snapshot_from_intercom import TeammateReading, snapshot_facts

TEAMMATES, CONTACTS, COMPANIES = "teammates", "contacts", "companies"
READER: Final = Actor(kind="connector", id="intercom.rest")


class ReadingContext(NamedTuple):
    """Whose objects are read, why, and since when (seconds since 1970; None: all). `until` is when the reading began."""

    tenant: str
    app_id: str
    origin: Origin
    since: int | None
    until: int
    version: str


class PageRecords(NamedTuple):
    """The records of a page, how many objects they are, and how many objects of it have no id."""

    records: list[TopicRecord]
    objects: int
    without_id: int


class ObjectType(NamedTuple):
    """How a type of object is listed, and which records a page of it becomes. `whole` is a listing that cannot be continued."""

    listing: Callable[[ReadingContext], Listing]
    records: Callable[[ReadingContext, Avro, Page, int], PageRecords]
    whole: bool = False


class _Identified(msgspec.Struct):
    id: Any = None


_identified: Final = msgspec.json.Decoder(_Identified)


def _contacts(context: ReadingContext) -> Listing:
    if context.since is None:
        return listings.contacts()
    return listings.contacts_updated(context.since, context.until + 1, context.version)


def _teammates(context: ReadingContext, avro: Avro, page: Page, now: int) -> PageRecords:
    """Return a snapshot of the workspace's teammates, as `access snapshot` appends it."""
    body = b'{"type":"admin.list","admins":[' + b",".join(page.items) + b"]}"
    reading = TeammateReading(
        tenant=context.tenant, app_id=context.app_id, requested=page.requested_at, body=body, file="GET /admins", actor=READER
    )
    facts = snapshot_facts(reading)
    return PageRecords([TopicRecord(FACTS, *fact_record(avro, fact)) for fact in facts], len(facts) - 2, 0)


def _readings(type_: str) -> Callable[[ReadingContext, Avro, Page, int], PageRecords]:
    def records(context: ReadingContext, avro: Avro, page: Page, now: int) -> PageRecords:
        made: list[TopicRecord] = []
        for item in page.items:
            entity = identifier_or_none(_id_of(item))
            if entity is not None:
                reading = Reading(
                    app_id=context.app_id,
                    type=type_,
                    entity=entity,
                    value=item,
                    read_as=ReadAs.LISTED,
                    requested_at=page.requested_at,
                )
                made.append(TopicRecord(reading.topic, reading.key.encode(), item, reading.headers(context.origin, now)))
        return PageRecords(made, len(made), len(page.items) - len(made))

    return records


def _id_of(item: bytes) -> Any:
    try:
        return _identified.decode(item).id
    except msgspec.DecodeError:
        return None


OBJECTS: Final[Mapping[str, ObjectType]] = MappingProxyType({
    TEAMMATES: ObjectType(lambda _: listings.teammates(), _teammates),
    CONTACTS: ObjectType(_contacts, _readings("contact")),
    COMPANIES: ObjectType(lambda _: listings.companies(), _readings("company"), whole=True),
})  # fmt: skip
