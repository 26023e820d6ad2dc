"""Erase a person: write an erasure for each of their records, with its entry in the journal, and wait until the agents have done it."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from connectors.kafka.transaction import TopicRecord, transactions
from schemas import operations
from schemas.cloudevents import AVRO, EventContext, Origin
from schemas.codec import Avro
from schemas.errors import BadConfiguration
from schemas.ids import derived
from schemas.operations import PROFILE_ERASED, Operation
from schemas.profiles import erasure
from schemas.profiles.erasure import Erasure, key_id_of, mark_of
from schemas.tenancy import Secret, Tenancy
from streams.ops.journal import entry_of
from streams.ops.profiles.locate import FoundProfile, ProfileFinder
from streams.ops.profiles.receipt import Receipt, cleared_stores, details_of, receipt_of
from streams.ops.profiles.reference import ProfileReference, ReferenceKind

_POLL_S: Final = 0.2


class Erasable(NamedTuple):
    """What an erasure is about: a tenant's records, the profiles that have held them, and whether anybody knows them.

    Records of one person have all profiles in common; `holders` has those of each record where they are of many.
    `published` is whether the person was.
    """

    tenant: str
    records: tuple[str, ...]
    profiles: tuple[str, ...]
    unknown: bool
    holders: Mapping[str, tuple[str, ...]] | None = None
    published: bool = True

    @classmethod
    def of_many(cls, tenant: str, holders: Mapping[str, tuple[str, ...]]) -> "Erasable":
        """Return what is erased where records belong to many people, by the profiles that have held each."""
        profiles = sorted({profile for each in holders.values() for profile in each})
        return cls(tenant, tuple(sorted(holders)), tuple(profiles), unknown=False, holders=holders)

    def holders_of(self, record: str) -> tuple[str, ...]:
        """Return the profiles that have held a record, or more."""
        return self.profiles if self.holders is None else self.holders[record]

    def __repr__(self) -> str:
        return f"Erasable({self.tenant}, {len(self.records)} records)"


def erasure_key(tenancy: Tenancy, tenant: str) -> Secret:
    """Return the secret that makes a tenant's marks. Raises BadConfiguration where there is none."""
    keys = tenancy.tenants[tenant].erasure.keys
    if not keys or not keys[0]:
        raise BadConfiguration(
            f"The tenant {tenant} has no erasure key, so nobody can be erased: a mark without a secret would say who was, and anybody could "
            'make one. Set [tenants.erasure] keys = ["${ERASURE_KEY}"] to a secret of 32 characters or more, such as `openssl rand -hex 32` '
            "makes, for all processes of the installation, and keep it as long as its erasures are to hold."
        )
    return keys[0]


async def erasable(
    kafka: KafkaSettings, avro: Avro, tenancy: Tenancy, reference: ProfileReference, *, alone: bool = False
) -> Erasable:
    """Return what a reference names: all records of the person, published or not, or with `alone` that record alone.

    A contact that nobody knows is erasable too. Raises BadConfiguration where the reference names nobody, several, or an organisation.
    """
    found = await ProfileFinder(kafka, avro).find_held(reference)
    if not found and reference.kind is ReferenceKind.RECORD and tenancy.tenant_of(reference.text) is not None:
        return Erasable(reference.tenants[0], (reference.text,), (), unknown=True)
    if len(found) != 1 or found[0].kind != "person":
        raise BadConfiguration(_no_one_person(found))
    person = found[0]
    if alone and reference.kind is not ReferenceKind.RECORD:
        raise BadConfiguration("A record alone is named by its key: APP_ID:CONTACT_ID.")
    records = [reference.text] if alone else person.records
    if missing := sorted({record.partition(":")[0] for record in records if tenancy.tenant_of(record) is None}):
        raise BadConfiguration(
            f"The person has records of {', '.join(missing)}, which is neither a workspace nor a source of the configuration: add it "
            "again, for as long as its records are to be erased."
        )
    return Erasable(
        person.tenant,
        tuple(sorted(records)),
        await _holders(kafka, avro, person),
        unknown=False,
        published=person.is_published,
    )


def _no_one_person(found: list[FoundProfile]) -> str:
    if not found:
        return "Nobody has this id or address. A contact that is not known yet is erased by its key: APP_ID:CONTACT_ID."
    if len(found) == 1:
        return "This is an organisation. People are erased; an organisation is deleted in its source."
    return f"This names {len(found)} profiles. Erase one after the other by id: {', '.join(each.id for each in found)}."


async def _holders(kafka: KafkaSettings, avro: Avro, person: FoundProfile) -> tuple[str, ...]:
    """Return the profiles that have held records of a person, as far back as the changes reach; each record's own id is one anyway."""
    ids = {person.id, *(derived(person.tenant, "person", record) for record in person.records)}
    keys = frozenset(id_.encode() for id_ in ids)

    def moved_from(record: Any) -> str | None:
        change = avro.decode(record.value)[1]
        return change["moved_from"] or None

    return tuple(sorted({*ids, *await read_to_end(kafka, "people.changes", moved_from, keys=keys)}))


async def erase(
    kafka: KafkaSettings, avro: Avro, tenancy: Tenancy, what: Erasable, *, actor: str | None, reason: str | None
) -> Receipt:
    """Write the erasures of a person, and their receipt into the journal, in one transaction. Raises Unavailable."""
    secret = erasure_key(tenancy, what.tenant)
    now, id_ = time.time_ns() // 1_000_000, f"e-{secrets.token_hex(4)}"
    settings = await topics.broker_settings(kafka)
    receipt = Receipt(
        id=id_,
        tenant=what.tenant,
        time=now,
        actor=actor,
        marks=tuple(sorted(mark_of(secret, record) for record in what.records)),
        stores=tuple(cleared_stores(now, settings)),
        unknown=what.unknown,
    )
    async with transactions(kafka, f"erase-{id_}") as producer:
        await producer.append([
            *(_record(avro, tenancy, what, record, receipt) for record in what.records),
            _journal_entry(avro, receipt, reason),
        ])  # fmt: skip
    return receipt


def _record(avro: Avro, tenancy: Tenancy, what: Erasable, record: str, receipt: Receipt) -> TopicRecord:
    secret = erasure_key(tenancy, what.tenant)
    value = Erasure(
        request=receipt.id,
        tenant=what.tenant,
        mark=mark_of(secret, record),
        key=key_id_of(secret),
        time=receipt.time,
        profiles=what.holders_of(record),
    )
    context = EventContext(
        id=derived(record, "erasure", receipt.id),
        source="/operations",
        type=erasure.EVENT_TYPE,
        origin=Origin.OPERATOR,
        time=receipt.time,
        subject=record,
        partition_key=record,
        data_schema=avro.data_schema(erasure.SCHEMA),
        content_type=AVRO,
    )
    topic = erasure.TOPIC if record.partition(":")[0] in tenancy.owners else erasure.FOREIGN_TOPIC
    return TopicRecord(topic, record.encode(), erasure.encode(avro, value), context.headers())


def _journal_entry(avro: Avro, receipt: Receipt, reason: str | None) -> TopicRecord:
    operation = Operation(
        id=derived(PROFILE_ERASED, receipt.id),
        kind=PROFILE_ERASED,
        time=receipt.time,
        actor=receipt.actor,
        process=receipt.id,
        reason=reason,
        details=details_of(receipt),
    )
    return entry_of(avro, operation)


async def is_done(kafka: KafkaSettings, avro: Avro, what: Erasable, seconds: float) -> bool:
    """Wait until no person has the records any more. Return False where that takes longer."""
    finder, records = ProfileFinder(kafka, avro), {*what.records}
    find = finder.find if what.published else finder.find_held
    ids = ProfileReference(ReferenceKind.PROFILE, "", (what.tenant,))
    deadline = time.monotonic() + seconds
    while True:
        found = [each for id_ in what.profiles for each in await find(ProfileReference(ids.kind, id_, ids.tenants))]
        if all(records.isdisjoint(each.records) for each in found):
            return True
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_POLL_S)


async def receipts(kafka: KafkaSettings, avro: Avro) -> list[Receipt]:
    """Return the receipts of all erasures, in the order in which they were asked for."""

    def keep(record: Any) -> Receipt | None:
        operation = operations.decode(avro, record.value)
        return receipt_of(operation) if operation.kind == PROFILE_ERASED else None

    return sorted(await read_to_end(kafka, operations.TOPIC, keep), key=lambda receipt: receipt.time)
