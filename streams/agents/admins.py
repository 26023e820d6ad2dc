"""The admins agent: Intercom's posts about teammates become facts of the tenant that owns the workspace.

It remembers every `added`, `removed` and access-relevant log entry it sent on, and for all other posts the newest per teammate
and kind, so that a post delivered twice, or replayed, becomes no second fact. A post older than the newest of its kind adds
nothing, unless no other of its kind has the same address, role or sign-in method: a former address can name somebody who left, and after an
outage the newest often comes first. The posts themselves are all retained.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from schemas.access import fact_records, facts
from schemas.access.facts import Evidence
from schemas.canonical import digest
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.intercom.envelope import Envelope, body, envelope
from schemas.intercom.rest_objects import READ_AS, ReadAs, how_read
from schemas.message import Message, header
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.core.access.facts.from_intercom import TeammateFact, entry_of_the_log, teammate_fact
from streams.engine.agent import Agent, Batch, Outbox, Table

TOPIC: Final = "intercom.admins"


class SeenEvents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The facts sent about one teammate or log entry: ids where every one counts, else the time and id of the newest by kind, and by kind and content."""

    ids: tuple[str, ...] = ()
    newest: dict[str, tuple[int, str]] = {}


ROW: Final = Versioned(SeenEvents)


def admins(tenancy: Tenancy, avro: Avro) -> Agent:
    """Return the agent. Its rows belong to a workspace."""
    return Agent(name="admins", sources=(TOPIC,), step=partial(_step, tenancy.owners, avro), codec=ROW)


def _step(owners: Mapping[str, str], avro: Avro, batch: Batch, table: Table[SeenEvents], out: Outbox) -> None:
    for record in batch.records:
        notification = _notification(record)
        if notification is None:
            continue
        teammate = teammate_fact(notification, _owner(owners, notification.app_id))
        seen = _updated(table.get(notification.app_id, teammate.item) or SeenEvents(), teammate) if teammate else None
        if teammate is None or seen is None:
            continue
        table.put(notification.app_id, teammate.item, seen)
        fact = msgspec.structs.replace(teammate.fact, evidence=(_evidence(batch, record, notification.id),))
        event = fact_records.event_context(avro, fact, origin=Origin.DERIVED, causation_id=notification.id)
        traced = msgspec.structs.replace(event, trace_parent=header(record.headers, "traceparent"))
        out.send(facts.TOPIC, fact.tenant, fact_records.encode(avro, fact), traced.headers())


def _notification(record: Message) -> Envelope | None:
    """Return a post, or an entry of the activity log that was read over REST as its post; None for one from before the workspace was connected.

    Of such an entry no fact follows: somebody who acted then and has left would be a removal that no webhook reported.
    """
    if header(record.headers, READ_AS) is None:
        return envelope(body(record))
    read_as, *_ = how_read(record.headers)
    app_id = (record.key or b"").decode("utf-8", "replace")
    return None if read_as is ReadAs.HISTORY else entry_of_the_log(app_id, record.value or b"")


def _owner(owners: Mapping[str, str], app_id: str) -> str:
    if app_id not in owners:
        raise InvalidRecord(
            "the workspace of this post is no tenant's any more; configure it again, then redrive the dead letter"
        )
    return owners[app_id]


def _updated(seen: SeenEvents, teammate: TeammateFact) -> SeenEvents | None:
    """Return the events seen, this one included, or None where it adds nothing."""
    fact = teammate.fact
    if teammate.every_one_counts:
        return None if fact.id in seen.ids or (teammate.once and seen.ids) else SeenEvents((*seen.ids, fact.id), seen.newest)
    event, newest = (fact.time or 0, fact.id), seen.newest.get(teammate.series)
    alike = f"{teammate.series}|{teammate.content}"
    if newest is None or newest < event:
        return SeenEvents(seen.ids, {**seen.newest, teammate.series: event, alike: event})
    return None if newest == event or alike in seen.newest else SeenEvents(seen.ids, {**seen.newest, alike: event})


def _evidence(batch: Batch, record: Message, event: str) -> Evidence:
    return Evidence(
        topic=batch.topic, partition=batch.partition, offset=record.offset, sha256=digest(record.value or b""), id=event
    )
