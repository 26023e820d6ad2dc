"""Find the profiles that a reference names. It reads the partitions of the keys in question, and of no topic more than that.

An address is looked up among the tenant's claims, which are in one partition.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.codec import Avro
from schemas.ids import derived
from schemas.profiles.identity import ASSIGNMENT, CLAIM, EMAIL, Key, Scope
from schemas.profiles.policies import PROFILE_TOPICS
from streams.ops.profiles.live_topics import LiveTopics
from streams.ops.profiles.reference import ProfileReference, ReferenceKind

_ALIASES: Final = tuple(f"{topic}.aliases" for topic in PROFILE_TOPICS.values())
_ASSIGNMENTS: Final = ("contact.assignments", "company.assignments", "person.assignments", "org.assignments")


class FoundProfile(NamedTuple):
    """A profile as it is published now. `asked` is the id that was asked for where that is an alias of it."""

    kind: str
    value: dict[str, Any]
    asked: str | None = None

    @property
    def id(self) -> str:
        """The profile's id."""
        return str(self.value["id"])

    @property
    def tenant(self) -> str:
        """The profile's tenant."""
        return str(self.value["tenant"])

    @property
    def records(self) -> list[str]:
        """The keys of its records."""
        return [str(record["key"]) for record in self.value["records"]]

    def __repr__(self) -> str:
        return f"FoundProfile({self.kind}, {self.id})"


class ProfileFinder:
    """Looks profiles up in the topics of one installation."""

    def __init__(self, kafka: KafkaSettings, avro: Avro) -> None:
        self._kafka = kafka
        self._avro = avro
        self._live: LiveTopics | None = None

    async def find(self, reference: ProfileReference) -> list[FoundProfile]:
        """Return the profiles that the reference names: one, or several where an address is not enough to join them."""
        if reference.kind is ReferenceKind.PROFILE:
            return await self._by_ids([reference.text], reference.tenants)
        records = await self._claimants(reference) if reference.kind is ReferenceKind.EMAIL else [reference.text]
        ids = [id_ for tenant in reference.tenants for id_ in (await self._profiles_of(tenant, records))]
        found = await self._by_ids(ids, reference.tenants)
        return [each for each in found if not set(each.records).isdisjoint(records)]

    async def _by_ids(self, ids: list[str], tenants: Iterable[str]) -> list[FoundProfile]:
        found = await self._published(ids)
        aliases = await self._aliases([id_ for id_ in ids if id_ not in found])
        targets = await self._published(sorted(set(aliases.values()) - found.keys()))
        asked = {target: alias for alias, target in aliases.items()}
        both = [*found.values(), *(FoundProfile(kind, value, asked.get(value["id"])) for kind, value, _ in targets.values())]
        return [each for each in both if each.tenant in tenants]

    async def _published(self, ids: list[str]) -> dict[str, FoundProfile]:
        """Return the present values of profiles, by id."""
        found: dict[str, FoundProfile] = {}
        for kind, topic in PROFILE_TOPICS.items():
            values = await self._latest(topic, [id_ for id_ in ids if id_ not in found])
            found |= {id_: FoundProfile(kind, self._avro.decode(value)[1]) for id_, value in values.items()}
        return found

    async def _aliases(self, ids: list[str]) -> dict[str, str]:
        """Return the profile that each id is an alias of."""
        values = {id_: value for topic in _ALIASES for id_, value in (await self._latest(topic, ids)).items()}
        return {id_: str(self._avro.decode(value)[1]["moved_to"]) for id_, value in values.items()}

    async def _claimants(self, reference: ProfileReference) -> list[str]:
        """Return the records that claim an address."""
        key, needle = Key(EMAIL, reference.text), reference.text.encode()
        latest: dict[str, bytes | None] = {}

        def keep(record: Any) -> None:
            if (name := record.key.decode("utf-8", "replace")) in latest or (record.value and needle in record.value):
                latest[name] = record.value

        groups = [tenant.encode() for tenant in reference.tenants]
        claims = (await self._live_topics()).written_by("contacts", "identity.claims")
        await read_to_end(self._kafka, claims, keep, keys=[], groups=groups)
        found = [(Scope.of_claim(name), CLAIM.decode(value).claim) for name, value in latest.items() if value]
        return sorted(record for (_, record), claim in found if key in claim.keys)

    async def _profiles_of(self, tenant: str, records: list[str]) -> list[str]:
        """Return the profiles that records belong to: as assigned, or the profiles that they are by themselves."""
        ids = {derived(tenant, kind, record) for record in records for kind in PROFILE_TOPICS}
        live = await self._live_topics()
        for topic in _ASSIGNMENTS:
            assigned = await self._latest(live.written_by("identity", topic), records)
            ids |= {ASSIGNMENT.decode(value).assignment.profile for value in assigned.values()}
        return sorted(ids)

    async def _live_topics(self) -> LiveTopics:
        if self._live is None:
            self._live = await LiveTopics.read(self._kafka)
        return self._live

    async def _latest(self, topic: str, keys: list[str]) -> dict[str, bytes]:
        """Return the last values of keys of a compacted topic, without tombstones."""
        if not keys:
            return {}
        records = await read_to_end(self._kafka, topic, lambda record: record, keys=frozenset(key.encode() for key in keys))
        latest = {record.key.decode(): record.value for record in records}
        return {key: value for key, value in latest.items() if value is not None}
