"""Everything that is held about a person, store by store: for their right of access, and to look at before an erasure.

What is found under a key is read from the partition of that key; where a person can only be mentioned, the whole topic is read.
"""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from connectors.spool.inspect import spool_contents
from schemas.cloudevents import timestamp
from schemas.codec import Avro
from schemas.errors import IntercomStreamsError
from schemas.ids import derived
from schemas.intercom.envelope import body
from schemas.message import Message, RecordValue
from schemas.profiles.identity import PERSON, Scope
from schemas.tenancy import Tenancy
from streams.agents.topology import agents_of
from streams.engine.naming import Naming
from streams.ops.decode import Decoder, decoder_of
from streams.ops.profiles.live_topics import LiveTopics
from streams.ops.profiles.locate import FoundProfile
from streams.ops.profiles.mentions import Mentions
from streams.ops.profiles.own_values import OwnValues, own_values
from streams.ops.profiles.stores import TABLES, FoundBy, TopicHolding, holding_of, holding_topics

_BINARY: Final = frozenset({0x1F})  # gzip's first byte: mentions are looked for in what was compressed


_WRITERS: Final[Mapping[str, str]] = MappingProxyType({
    "identity.claims": "contacts", "person.patches": "contacts", "membership.edges": "contacts",
    "contact.assignments": "identity", "person.assignments": "identity",
})  # fmt: skip
"""The agent that writes an internal topic, whose build has one of its own."""


class HeldRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record. `bytes` (base64) is set where `value` is not an exact spelling of them."""

    key: str
    value: Any
    time: str
    place: str
    bytes: str | None = None
    headers: dict[str, str] = {}


class HeldStore(msgspec.Struct, frozen=True, kw_only=True):
    """What one store holds about a person; `note` says what of it was not looked at."""

    store: str
    what: str
    records: tuple[HeldRecord, ...]
    note: str | None = None


class PersonExport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything held about a person. `present` is what is published, or would be without the tenant's policy."""

    profile: str
    tenant: str
    published: bool
    records: tuple[str, ...]
    present: dict[str, Any]
    stores: tuple[HeldStore, ...]

    def __repr__(self) -> str:
        return f"PersonExport({self.profile}, ***)"


class _Person(NamedTuple):
    """The keys under which a person is found, and the texts that mention them."""

    records: frozenset[str]
    profiles: frozenset[str]
    claims: frozenset[str]
    mentions: Mentions
    is_of_another_tenant: Callable[[str], bool]


class _Source(NamedTuple):
    """A store that is read as a topic."""

    store: str
    topic: str
    plain: str  # the same of the first build, by which its values are decoded
    holding: TopicHolding


async def export(kafka: KafkaSettings, avro: Avro, tenancy: Tenancy, found: FoundProfile, spool: Path) -> PersonExport:
    """Return everything that topics, tables and this host's spool hold about a person. Raises Unavailable."""
    live, names, agents = await LiveTopics.read(kafka), Naming(prefix=kafka.topic_prefix), agents_of(tenancy, avro)
    person = _person(found, await own_values(kafka, live, found), tenancy)
    sources = [
        _Source(f"topic {name}", live.written_by(_WRITERS.get(name, ""), name), name, holding_of(name))
        for name in holding_topics()
    ]
    sources += [
        _Source(f"table {agent}", live.changelog(agent), names.changelog(agent), holding) for agent, holding in TABLES.items()
    ]
    stores = [
        await _store(kafka, source, person, decoder_of(source.plain, avro, agents, names))
        for source in sources
        if source.topic in live.present
    ]
    return PersonExport(
        profile=found.id,
        tenant=found.tenant,
        published=found.is_published,
        records=tuple(found.records),
        present=found.value,
        stores=(*stores, _spool(spool, person)),
    )


def _person(found: FoundProfile, own: OwnValues, tenancy: Tenancy) -> _Person:
    records = frozenset(found.records) | own.records
    profiles = {found.id, *([found.asked] if found.asked else []), *(derived(found.tenant, found.kind, key) for key in records)}
    contacts = [key for key in found.records if key.partition(":")[0] not in tenancy.sources]
    return _Person(
        records,
        frozenset(profiles),
        frozenset(Scope(found.tenant, PERSON).key(key) for key in records),
        Mentions(contacts=contacts, records=found.records, profiles=profiles, own=own),
        partial(_is_of_another_tenant, tenancy, found.tenant),
    )


def _is_of_another_tenant(tenancy: Tenancy, tenant: str, key: str) -> bool:
    """Return whether a key says that its record is about people of another tenant: mentions there are theirs."""
    group = key.partition("|")[0]
    owner = group if group in tenancy.tenants else tenancy.tenant_of(group)
    return owner not in (None, tenant)


async def _store(kafka: KafkaSettings, source: _Source, person: _Person, decode: Decoder) -> HeldStore:
    store, topic, _, holding = source
    latest: dict[tuple[int, bytes], HeldRecord] = {}
    records: list[HeldRecord] = []
    is_table = store.startswith("table ")
    wanted = _wanted(holding, person)

    def keep(record: Any) -> None:
        key = (record.partition, record.key or b"")
        latest.pop(key, None)
        if record.value is not None and wanted(record):
            held = _held(record, f"{topic} {record.partition}:{record.offset}", decode)
            if is_table:
                latest[key] = held
            else:
                records.append(held)

    keys = _keys(holding, person)
    await read_to_end(kafka, topic, keep, keys=keys, groups=keys or ())
    return HeldStore(store=store, what=holding.what, records=(*records, *latest.values()))


def _keys(holding: TopicHolding, person: _Person) -> Collection[bytes] | None:
    """Return the keys, or groups of keys, under which a store is to be read; None for all of it."""
    match holding.found_by:
        case FoundBy.RECORD:
            return frozenset(key.encode() for key in person.records)
        case FoundBy.PROFILE:
            return frozenset(key.encode() for key in person.profiles)
        case FoundBy.CLAIM:
            return frozenset(key.partition("|")[0].encode() for key in person.claims)
        case _:
            return None


def _wanted(holding: TopicHolding, person: _Person) -> Callable[[Message], bool]:
    """Return whether a record that was read is about the person."""
    match holding.found_by:
        case FoundBy.CLAIM:
            return lambda record: (record.key or b"").decode("utf-8", "replace") in person.claims
        case FoundBy.EDGE:
            return lambda record: not person.records.isdisjoint((record.key or b"").decode("utf-8", "replace").split("|"))
        case FoundBy.MENTION:
            return lambda record: _mentions(record, person)
        case _:
            return lambda _: True


def _mentions(record: Message, person: _Person) -> bool:
    key = (record.key or b"").decode("utf-8", "replace")
    if key in person.records or key in person.profiles:
        return True
    if person.is_of_another_tenant(key):
        return False
    value = record.value or b""
    if value[:1] and value[0] in _BINARY:
        try:
            value = body(record)
        except IntercomStreamsError:
            return False
    return person.mentions.are_in(value)


def _held(record: Any, place: str, decode: Decoder) -> HeldRecord:
    decoded = decode(record.key or b"", record.value)
    return HeldRecord(
        key=(record.key or b"").decode("utf-8", "backslashreplace"),
        value=decoded.value,
        time=timestamp(record.timestamp),
        place=place,
        bytes=decoded.bytes if decoded.value is None or decoded.error else None,
        headers={name: value.decode("utf-8", "backslashreplace") for name, value in record.headers},
    )


def _spool(folder: Path, person: _Person) -> HeldStore:
    """Return what waits in the spools of this host."""
    what = "posts that Kafka could not take"
    if not folder.is_dir():
        note = "there is no spool on this host; run this where an ingress runs, too"
        return HeldStore(store="spool of each ingress", what=what, records=(), note=note)
    contents = spool_contents(folder)
    found = [
        HeldRecord(
            key=(record.key or b"").decode("utf-8", "backslashreplace"),
            value=(record.value or b"").decode("utf-8", "backslashreplace"),
            time=timestamp(record.timestamp),
            place=file,
        )
        for file, record in contents.records
        if _mentions(RecordValue(record.key, record.value, list(record.headers)), person)
    ]
    note = f"not readable, for you to look at: {', '.join(contents.unreadable)}" if contents.unreadable else "of this host"
    return HeldStore(store="spool of each ingress", what=what, records=tuple(found), note=note)
