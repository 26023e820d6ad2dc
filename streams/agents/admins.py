"""The admins agent: Intercom's posts about teammates become facts of the tenant that owns the workspace.

It remembers every `added`, `removed` and weighty log entry it passed on, and of all else the newest per teammate and kind, so that a
post delivered twice, or replayed, becomes no second fact. What is older than the newest of its kind says nothing new; the posts
themselves are all kept.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from schemas.access import facts
from schemas.access.facts import Evidence
from schemas.canonical import digest
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.errors import Unusable
from schemas.intercom.envelope import body, envelope
from schemas.message import Record, header
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.core.access.facts.from_intercom import Meaning, meaning
from streams.engine.agent import Agent, Batch, Outbox, Table

TOPIC: Final = "intercom.admins"


class Passed(msgspec.Struct, frozen=True):
    """What was passed on about one teammate or log entry: ids where every one counts, else by kind the time and id of the newest."""

    every_one: tuple[str, ...] = ()
    newest: dict[str, tuple[int, str]] = {}


ROW: Final = Versioned(Passed)


def admins(tenancy: Tenancy, avro: Avro) -> Agent:
    """Return the agent. Its rows belong to a workspace."""
    return Agent(name="admins", sources=(TOPIC,), step=partial(_step, tenancy.owners, avro), codec=ROW)


def _step(owners: Mapping[str, str], avro: Avro, batch: Batch, table: Table[Passed], out: Outbox) -> None:
    for record in batch.records:
        note = envelope(body(record))
        found = meaning(note, _owner(owners, note.app_id))
        after = _after(table.get(note.app_id, found.item) or Passed(), found) if found else None
        if found is None or after is None:
            continue
        table.put(note.app_id, found.item, after)
        fact = msgspec.structs.replace(found.fact, evidence=(_evidence(batch, record, note.id),))
        event = facts.event(avro, fact, origin=Origin.DERIVED, causation_id=note.id)
        traced = msgspec.structs.replace(event, trace_parent=header(record.headers, "traceparent"))
        out.send(facts.TOPIC, fact.tenant, facts.encode(avro, fact), traced.headers())


def _owner(owners: Mapping[str, str], app_id: str) -> str:
    if app_id not in owners:
        raise Unusable("the workspace of this post is no tenant's any more; configure it again, then redrive the dead letter")
    return owners[app_id]


def _after(before: Passed, found: Meaning) -> Passed | None:
    """Return what is passed on once this is, or None where it says nothing new."""
    fact = found.fact
    if found.every_one:
        return None if fact.id in before.every_one else Passed((*before.every_one, fact.id), before.newest)
    this, newest = (fact.time or 0, fact.id), before.newest.get(fact.kind)
    return Passed(before.every_one, {**before.newest, fact.kind: this}) if newest is None or newest < this else None


def _evidence(batch: Batch, record: Record, event: str) -> Evidence:
    return Evidence(
        topic=batch.topic, partition=batch.partition, offset=record.offset, sha256=digest(record.value or b""), id=event
    )
