"""The values by which a person is known and nobody else: a post that has one is about them, though no record's id is in it."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.activities.messages import VALUE_KIND
from schemas.profiles.identity import CLAIM, EMAIL, EXTERNAL_ID, PERSON, PHONE, Claim, Key, Scope
from schemas.profiles.policies import is_hash
from schemas.profiles.registers import Registers
from streams.agents.open_record import OpenRecord
from streams.agents.patches import NO_REGISTERS
from streams.core.normal_forms import addresses, phones
from streams.ops.profiles.live_topics import LiveTopics
from streams.ops.profiles.locate import FoundProfile
from streams.ops.profiles.profile_rows import present_records, profile_rows

_CLAIMS: Final = "identity.claims"
_NORMAL: Final[Mapping[str, Callable[[str], str | None]]] = MappingProxyType({
    EXTERNAL_ID: str.strip, EMAIL: addresses.normal, PHONE: phones.normal,
})  # fmt: skip


class OwnValues(NamedTuple):
    """A person's addresses, numbers and ids in the customer's systems, as records spell them, and the records that events name by one of them."""

    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    external_ids: frozenset[str] = frozenset()
    records: frozenset[str] = frozenset()


async def own_values(kafka: KafkaSettings, live: LiveTopics, found: FoundProfile) -> OwnValues:
    """Return the values that a person's records have or had, without those that a record of somebody else claims. Raises Unavailable.

    It reads the person's rows, and the tenant's claims in their partition.
    """
    rows = present_records(await profile_rows(kafka, live, kind=PERSON, profile=found.id), found.id)
    spelled: dict[Key, set[str]] = defaultdict(set)
    for row in rows.values():
        for key, text in _values(OpenRecord(row).registers) if row.registers != NO_REGISTERS else ():
            spelled[key] |= {text, key.value}
    claims = await _claims_of(kafka, live, found.tenant, spelled)
    others = {record: claim for record, claim in claims.items() if record not in found.records}
    foreign = {key for claim in others.values() if claim.answer_to != VALUE_KIND for key in claim.keys}
    own = {key: texts for key, texts in spelled.items() if key not in foreign}

    def of(kind: str) -> frozenset[str]:
        return frozenset(text for key, texts in own.items() if key.type == kind for text in texts)

    named = (
        record for record, claim in others.items() if claim.answer_to == VALUE_KIND and not own.keys().isdisjoint(claim.keys)
    )
    return OwnValues(of(EMAIL), of(PHONE), of(EXTERNAL_ID), frozenset(named))


def _values(registers: Registers) -> Iterator[tuple[Key, str]]:
    for _, fields in (*registers.now, *registers.last, *registers.first):
        for kind, normal in _NORMAL.items():
            text = fields.get(kind)
            if isinstance(text, str) and not is_hash(text) and (value := normal(text)):
                yield Key(kind, value), text


async def _claims_of(kafka: KafkaSettings, live: LiveTopics, tenant: str, keys: Mapping[Key, Any]) -> dict[str, Claim]:
    """Return the claims of people of a tenant that have one of these values, by record."""
    needles = [key.value.encode() for key in keys]
    topic = live.written_by("contacts", _CLAIMS)
    if not needles or topic not in live.present:
        return {}
    latest: dict[str, bytes | None] = {}

    def keep(record: Any) -> None:
        name = record.key.decode("utf-8", "replace")
        if name in latest or (record.value and any(needle in record.value for needle in needles)):
            latest[name] = record.value

    await read_to_end(kafka, topic, keep, keys=[], groups=[tenant.encode()])
    found = ((Scope.of_claim(name), CLAIM.decode(value).claim) for name, value in latest.items() if value)
    return {record: claim for (scope, record), claim in found if scope.profile_type == PERSON}
