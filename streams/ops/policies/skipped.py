"""How many values a tenant's policy keeps out of profiles, by source, field and reason.

What a rule of a field, a strategy or the selection refuses is found in the profile agent's table. A denied value is in no table: it is
found by making the rows again from the inbound topics, in memory, as they would be without a policy.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.profiles.policies import ORG, PERSON, PROFILE_TOPICS, source_of
from schemas.profiles.registers import Registers, SourceRecordRow
from schemas.tenancy import Tenancy
from streams.agents.companies import companies
from streams.agents.contacts import contacts
from streams.agents.foreign.agent import org_records, person_records
from streams.agents.open_profile import OpenProfile
from streams.agents.open_record import OpenRecord
from streams.agents.policies.in_force import Policies, TablePolicies
from streams.agents.profiles import ROW
from streams.core.profiles.orgs import ORG as ORG_SCHEMA
from streams.core.profiles.people import PERSON as PERSON_SCHEMA
from streams.core.profiles.public_schema import PublicSchema
from streams.core.profiles.rules import ProfileRules
from streams.core.profiles.skipped import SkipReason, skipped_writes
from streams.core.profiles.storage import LIST_OF_KIND, Fate, Storage
from streams.core.records.registers import active_edges, current
from streams.core.records.withdrawal import is_withdrawn
from streams.engine.agent import Agent, Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from streams.ops.policies.partition_rows import partition_rows

_SCHEMAS: Final[Mapping[str, PublicSchema]] = {PERSON: PERSON_SCHEMA, ORG: ORG_SCHEMA}
_COMMIT_EVERY: Final = 500

_Counts = Counter[tuple[str, str, str]]


class SkippedWrites(msgspec.Struct, frozen=True):
    """How many values of a source's records for a field are in no profile because of one reason. Of a list each entry counts."""

    source: str
    field: str
    reason: str
    values: int


async def skipped(
    kafka: KafkaSettings, tenancy: Tenancy, changelog: str, *, tenant: str, kind: str, denied: bool
) -> list[SkippedWrites]:
    """Return what the policy in force keeps out, the most frequent first; `denied` reads the inbound topics too.

    Raises Unavailable where Kafka does not answer, MustStop where the policy's hashes have no key here.
    """
    policies = Policies(f"{PROFILE_TOPICS[kind]}.policies", _SCHEMAS[kind], tenancy)
    counts: _Counts = Counter()
    rules = None
    async for rows in partition_rows(kafka, changelog):
        table: MemoryTable[Any] = MemoryTable(ROW)
        table.store.apply(rows)
        policy = TablePolicies(table).get(tenant)
        if policy is not None:
            rules = policies.rules(tenant, policy)
            counts.update(_of_partition(_SCHEMAS[kind], tenant, table, rules))
    if denied and rules is not None and rules.storage is not None:
        for agent in _record_agents(kind, tenancy):
            counts.update(await _denied(kafka, tenancy, tenant, agent, rules.storage))
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [SkippedWrites(*name, values) for name, values in ordered]


def _of_partition(
    schema: PublicSchema, tenant: str, table: MemoryTable[Any], rules: ProfileRules
) -> Iterator[tuple[str, str, str]]:
    for group in table.groups():
        profile = None if group.startswith(":") else OpenProfile(group, table)
        if profile is None or profile.tenant != tenant:
            continue
        records = profile.registers()
        if records:
            for each in skipped_writes(schema, profile.id, tenant, records, rules):
                yield source_of(each.record), each.field, each.reason


def _record_agents(kind: str, tenancy: Tenancy) -> tuple[Agent, ...]:
    avro = Avro.local()
    if kind == PERSON:
        return contacts(tenancy, avro), person_records(tenancy, avro)
    return companies(tenancy), org_records(tenancy, avro)


async def _denied(kafka: KafkaSettings, tenancy: Tenancy, tenant: str, agent: Agent, storage: Storage) -> _Counts:
    """Return what is denied of an agent's records: it goes over its inbound topic without a policy, a partition at a time."""
    counts: _Counts = Counter()
    topic = agent.sources[0]
    async with open_ranges(kafka, kafka.topic(topic)) as reader:
        for number, bounds in (await reader.bounds()).items():
            table: MemoryTable[Any] = MemoryTable(agent.codec)
            done = 0
            async for record in reader.records({number: bounds}):
                _step(agent, Batch(topic, number, [record]), table)
                done += 1
                if done % _COMMIT_EVERY == 0:
                    table.commit()
            table.commit()
            for key in table.groups():
                row = table.get(key) if ":" in key and tenancy.tenant_of(key) == tenant else None
                if isinstance(row, SourceRecordRow):
                    counts.update(_denied_of(key, OpenRecord(row).registers, storage))
    return counts


def _step(agent: Agent, batch: Batch, table: MemoryTable[Any]) -> None:
    out = ListOutbox()
    try:
        rest = agent.step(batch, table, out)
        while rest is not None and agent.resume is not None:
            rest = agent.resume(rest, table, out)
    except InvalidRecord:
        return  # it is in dead.letters, and asserts nothing


def _denied_of(key: str, registers: Registers, storage: Storage) -> Iterator[tuple[str, str, str]]:
    if is_withdrawn(registers):
        return
    source = source_of(key)
    for name, _, _ in current(registers):
        if storage.fate(name) is Fate.DENIED:
            yield source, name, SkipReason.DENIED
    for name, _ in active_edges(registers):
        listed = LIST_OF_KIND.get(name.partition(":")[0])
        if listed is not None and storage.fate_of_list(listed) is Fate.DENIED:
            yield source, listed, SkipReason.DENIED
