"""Why a profile is what it is: read what its topics and its agent's table have about it, each from the partitions of its keys."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.codec import Avro
from schemas.ids import derived
from schemas.profiles.identity import ORG, PERSON
from streams.agents.open_record import OpenRecord
from streams.core.profiles.offers import Offers, offers_of
from streams.core.profiles.policies import Records
from streams.ops.policies.history import read_history
from streams.ops.profiles.history import HistoryEntry, TopicEntry, history, history_topics
from streams.ops.profiles.live_topics import LiveTopics
from streams.ops.profiles.locate import FoundProfile
from streams.ops.profiles.profile_rows import present_records, profile_rows
from streams.ops.profiles.reasons import FieldReason, field_reasons, in_force

_KIND_OF: Final[Mapping[str, str]] = {
    "intercom.contacts": PERSON, "contact.assignments": PERSON, "person.records": PERSON, "person.assignments": PERSON,
    "intercom.companies": ORG, "company.assignments": ORG, "org.records": ORG, "org.assignments": ORG,
}  # fmt: skip


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A profile, why each of its fields has its value, and its history. `read` is how many records of each topic were looked at."""

    profile: str
    kind: str
    tenant: str
    status: str
    asked: str | None
    records: tuple[dict[str, Any], ...]
    fields: tuple[FieldReason, ...]
    history: tuple[HistoryEntry, ...]
    read: dict[str, int]

    def __repr__(self) -> str:
        return f"Explanation({self.kind}, {self.profile}, ***)"


async def explain(kafka: KafkaSettings, avro: Avro, found: FoundProfile) -> Explanation:
    """Return why a profile is what it is. Raises Unavailable where Kafka does not answer."""
    read: dict[str, int] = {}
    records = await registers_of(kafka, found, read)
    entries = await _entries(kafka, avro, found, read)
    return Explanation(
        profile=found.id,
        kind=found.kind,
        tenant=found.tenant,
        status=found.value["status"],
        asked=found.asked,
        records=tuple(found.value["records"]),
        fields=tuple(field_reasons(found.value, records, await _offers(kafka, avro, found))),
        history=tuple(history(entries, in_force(found.value), avro)),
        read=read,
    )


async def _offers(kafka: KafkaSettings, avro: Avro, found: FoundProfile) -> Offers | None:
    """Return how the policy in force chooses values; None without one."""
    versions = await read_history(kafka, avro, found.tenant, found.kind)
    return offers_of(versions[-1].policy) if versions else None


async def registers_of(kafka: KafkaSettings, found: FoundProfile, read: dict[str, int]) -> Records:
    """Return the registers of the profile's records, as its agent's table has them."""
    rows = await profile_rows(kafka, await LiveTopics.read(kafka), kind=found.kind, profile=found.id, read=read)
    return {key: OpenRecord(row).counting for key, row in present_records(rows, found.id).items()}


async def _entries(kafka: KafkaSettings, avro: Avro, found: FoundProfile, read: dict[str, int]) -> list[TopicEntry]:
    """Return what the topics have about the profile, its records, and the ids that its records had before."""
    ids = {found.id, *([found.asked] if found.asked else [])}
    ids |= {derived(found.tenant, found.kind, record) for record in found.records}
    live = await LiveTopics.read(kafka)
    entries = []
    for topic in history_topics():
        name = live.written_by("identity", topic) if topic.endswith(".assignments") else topic
        if name in live.present:
            keys = frozenset(key.encode() for key in (*ids, *found.records))
            records = await read_to_end(kafka, name, lambda record: record, keys=keys)
            read[topic] = len(records)
            entries += [TopicEntry(topic, record) for record in records if _about(topic, record, found, avro)]
    return entries


def _about(topic: str, record: Any, found: FoundProfile, avro: Avro) -> bool:
    """Return whether a record is about this profile: a company and a contact may have one key, and a former id a life of its own."""
    if topic.endswith(".changes"):
        return bool(record.value) and avro.decode(record.value)[1]["kind"] == found.kind
    return _KIND_OF.get(topic, found.kind) == found.kind
