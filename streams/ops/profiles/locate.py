"""Find the profiles that a reference names. It reads the partitions of the keys in question, and of no topic more than that.

An address is looked up among the tenant's claims, which are in one partition.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.codec import Avro
from schemas.ids import derived
from schemas.profiles.identity import ASSIGNMENT, CLAIM, EMAIL, PERSON, Key, Scope
from schemas.profiles.policies import PROFILE_TOPICS
from streams.agents.open_record import OpenRecord
from streams.agents.patches import NO_REGISTERS
from streams.core.profiles.people import PERSON as PERSON_SCHEMA
from streams.core.profiles.public_value import public_value
from streams.ops.profiles.live_topics import LiveTopics
from streams.ops.profiles.profile_rows import present_records, profile_rows
from streams.ops.profiles.reference import ProfileReference, ReferenceKind

_ALIASES: Final = tuple(f"{topic}.aliases" for topic in PROFILE_TOPICS.values())
_ASSIGNMENTS: Final = ("contact.assignments", "company.assignments", "person.assignments", "org.assignments")


class FoundProfile(NamedTuple):
    """A profile as it is published now. `asked` is the id that was asked for where that is an alias of it.

    One that is not published has the value that it would have without a policy.
    """

    kind: str
    value: dict[str, Any]
    asked: str | None = None
    is_published: bool = True

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
        ids, records = await self._named(reference)
        return _having(records, await self._by_ids(ids, reference.tenants))

    async def find_held(self, reference: ProfileReference) -> list[FoundProfile]:
        """Return the same, and people of whom something is held and nothing published: no policy selects them, or they create no profile.

        It reads the table of people too, in the partitions of the profiles in question.
        """
        ids, records = await self._named(reference)
        found = await self._by_ids(ids, reference.tenants)
        others = {*ids, *(await self._aliases(ids)).values()} - {each.id for each in found}
        held = [each for id_ in sorted(others) if (each := await self._unpublished(id_, reference.tenants)) is not None]
        return _having(records, [*found, *held])

    async def _named(self, reference: ProfileReference) -> tuple[list[str], list[str] | None]:
        """Return the ids of the profiles that a reference may name, and the records that it names; None for the id of a profile."""
        if reference.kind is ReferenceKind.PROFILE:
            return [reference.text], None
        records = await self._claimants(reference) if reference.kind is ReferenceKind.EMAIL else [reference.text]
        return [id_ for tenant in reference.tenants for id_ in (await self._profiles_of(tenant, records))], records

    async def _unpublished(self, profile: str, tenants: Iterable[str]) -> FoundProfile | None:
        rows = await profile_rows(self._kafka, await self._live_topics(), kind=PERSON, profile=profile)
        own = rows[""].profile if "" in rows else None
        if own is None or own.tenant not in tenants:
            return None
        opened = {key: OpenRecord(row) for key, row in present_records(rows, profile).items() if row.registers != NO_REGISTERS}
        records = {key: each.counting for key, each in opened.items()}
        value = public_value(PERSON_SCHEMA, profile=profile, tenant=own.tenant, records=records) if records else None
        return None if value is None else FoundProfile(PERSON, value, is_published=False)

    async def _by_ids(self, ids: list[str], tenants: Iterable[str]) -> list[FoundProfile]:
        found = await self._published(ids)
        aliases = await self._aliases([id_ for id_ in ids if id_ not in found])
        targets = await self._published(sorted(set(aliases.values()) - found.keys()))
        asked = {target: alias for alias, target in aliases.items()}
        both = [*found.values(), *(each._replace(asked=asked.get(each.id)) for each in targets.values())]
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


def _having(records: list[str] | None, found: list[FoundProfile]) -> list[FoundProfile]:
    """Return the profiles that have one of these records."""
    return found if records is None else [each for each in found if not set(each.records).isdisjoint(records)]
