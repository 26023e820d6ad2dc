"""The admins agent: Intercom's posts about teammates become facts of the tenant that owns the workspace.

It remembers every `added`, `removed` and weighty log entry it passed on, and of all else the newest per teammate and kind, so that a
post delivered twice, or replayed, becomes no second fact. What is older than the newest of its kind says nothing new; the posts
themselves are all kept.
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
from schemas.intercom.envelope import body, envelope
from schemas.message import Message, header
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.core.access.facts.from_intercom import TeammateFact, teammate_fact
from streams.engine.agent import Agent, Batch, Outbox, Table

TOPIC: Final = "intercom.admins"


class SeenEvents(msgspec.Struct, frozen=True):
    """What was passed on about one teammate or log entry: ids where every one counts, else by kind the time and id of the newest."""

    all_admins: tuple[str, ...] = ()
    newest: dict[str, tuple[int, str]] = {}


ROW: Final = Versioned(SeenEvents)


def admins(tenancy: Tenancy, avro: Avro) -> Agent:
    """Return the agent. Its rows belong to a workspace."""
    return Agent(name="admins", sources=(TOPIC,), step=partial(_step, tenancy.owners, avro), codec=ROW)


def _step(owners: Mapping[str, str], avro: Avro, batch: Batch, table: Table[SeenEvents], out: Outbox) -> None:
    for record in batch.records:
        note = envelope(body(record))
        found = teammate_fact(note, _owner(owners, note.app_id))
        after = _after(table.get(note.app_id, found.item) or SeenEvents(), found) if found else None
        if found is None or after is None:
            continue
        table.put(note.app_id, found.item, after)
        fact = msgspec.structs.replace(found.fact, evidence=(_evidence(batch, record, note.id),))
        event = fact_records.event_context(avro, fact, origin=Origin.DERIVED, causation_id=note.id)
        traced = msgspec.structs.replace(event, trace_parent=header(record.headers, "traceparent"))
        out.send(facts.TOPIC, fact.tenant, fact_records.encode(avro, fact), traced.headers())


def _owner(owners: Mapping[str, str], app_id: str) -> str:
    if app_id not in owners:
        raise InvalidRecord(
            "the workspace of this post is no tenant's any more; configure it again, then redrive the dead letter"
        )
    return owners[app_id]


def _after(before: SeenEvents, found: TeammateFact) -> SeenEvents | None:
    """Return what is passed on once this is, or None where it says nothing new."""
    fact = found.fact
    if found.all_admins:
        return None if fact.id in before.all_admins else SeenEvents((*before.all_admins, fact.id), before.newest)
    this, newest = (fact.time or 0, fact.id), before.newest.get(fact.kind)
    return SeenEvents(before.all_admins, {**before.newest, fact.kind: this}) if newest is None or newest < this else None


def _evidence(batch: Batch, record: Message, event: str) -> Evidence:
    return Evidence(
        topic=batch.topic, partition=batch.partition, offset=record.offset, sha256=digest(record.value or b""), id=event
    )
