"""What a policy would change: the agent of profiles goes over its present rows, in memory, and what it would publish is counted.

It reads the agent's table from its changelog, a partition at a time, and changes nothing anywhere.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.message import RecordValue
from schemas.profiles.policies import POLICY, PolicyMessage, ProfilePolicy
from schemas.profiles.policy_events import key_of
from schemas.tenancy import Tenancy
from streams.agents.open_profile import OpenProfile
from streams.agents.orgs import orgs
from streams.agents.people import people
from streams.engine.agent import Agent, Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from streams.ops.policies.partition_rows import partition_rows

_AGENTS: Final = {"person": people, "org": orgs}
_EVENT: Final = "preview"
_LATER: Final = 1 << 62  # a version that replaces whatever is in force


class ChangedField(msgspec.Struct, frozen=True):
    """A field that would change in so many profiles."""

    field: str
    profiles: int


class ProfilePreview(msgspec.Struct, frozen=True):
    """What would change in one profile: it enters or leaves what is published, or some of its fields change."""

    profile: str
    selection: str | None
    fields: tuple[str, ...]


class PolicyPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy would change. `undecided` are profiles for which the condition fails, so that they are not selected."""

    tenant: str
    kind: str
    profiles: int  # that are published now, or have records
    changed: int
    entered: int
    left: int
    undecided: int
    fields: tuple[ChangedField, ...]
    listed: tuple[ProfilePreview, ...]


async def preview(
    kafka: KafkaSettings, tenancy: Tenancy, changelog: str, policy: ProfilePolicy, *, tenant: str, kind: str, most: int
) -> PolicyPreview:
    """Return what a policy would change, with at most so many profiles listed. Raises Unavailable where Kafka does not answer."""
    avro = Avro.local()
    agent = _AGENTS[kind](tenancy, avro)
    record = RecordValue(key_of(tenant, kind), POLICY.encode(PolicyMessage(_LATER, _EVENT, 0, policy)))
    counts: Counter[str] = Counter()
    fields: Counter[str] = Counter()
    listed: list[ProfilePreview] = []
    async for rows in partition_rows(kafka, changelog):
        table: MemoryTable[Any] = MemoryTable(agent.codec)
        table.store.apply(rows)
        counts["profiles"] += profiles_of(table, tenant)
        for change in _changes(agent, avro, table, record, counts):
            counts["changed"] += 1
            counts[change.selection or "neither"] += 1
            fields.update(change.fields)
            if len(listed) < most:
                listed.append(change)
    return PolicyPreview(
        tenant=tenant,
        kind=kind,
        profiles=counts["profiles"],
        changed=counts["changed"],
        entered=counts["entered"],
        left=counts["left"],
        undecided=counts["condition_failed"],
        fields=tuple(ChangedField(*each) for each in fields.most_common()),
        listed=tuple(listed),
    )


def profiles_of(table: MemoryTable[Any], tenant: str) -> int:
    """Return how many profiles of a tenant are published or have records that count; an id whose records have all moved away is none."""
    profiles = (OpenProfile(group, table) for group in table.groups() if not group.startswith(":"))
    return sum(profile.tenant == tenant and profile.has_records for profile in profiles)


def _changes(
    agent: Agent, avro: Avro, table: MemoryTable[Any], record: RecordValue, counts: Counter[str]
) -> Iterator[ProfilePreview]:
    """Yield what the agent would change, as it would in its partition."""
    rest = agent.step(Batch(agent.leading[0], 0, [record]), table, ListOutbox())
    while rest is not None and agent.resume is not None:
        out = ListOutbox()
        rest = agent.resume(rest, table, out)
        table.commit()
        counts.update(out.notes)
        for sent in out.sent:
            if sent.topic.endswith(".changes") and sent.value is not None:
                _, change = avro.decode(sent.value)
                names = () if change["selection"] else tuple(each["field"] for each in change["changes"])
                yield ProfilePreview(change["profile"], change["selection"], names)
