"""The table of agents: a new agent is a file in this package and a row here."""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.codec import Avro
from schemas.tenancy import Tenancy
from streams.agents.access import access
from streams.agents.activities.agent import activities
from streams.agents.activities.happenings import happenings
from streams.agents.activities.timelines import timelines
from streams.agents.admins import admins
from streams.agents.companies import companies
from streams.agents.contacts import contacts
from streams.agents.conversations.agent import checkpoint_messages, conversations
from streams.agents.conversations.sealing import seal_if_over
from streams.agents.directory.agent import directory
from streams.agents.foreign.agent import org_records, person_records
from streams.agents.foreign.withdrawal import withdrawals_of
from streams.agents.identity.agent import identity
from streams.agents.membership.agent import memberships
from streams.agents.orgs import orgs
from streams.agents.people import people
from streams.agents.retention.checkpoints import Visit, record_messages, with_checkpoints
from streams.engine.agent import Agent


class Dependencies(msgspec.Struct, frozen=True):
    """What agents are made with: whose each workspace is, and the codec of public topics."""

    tenancy: Tenancy
    avro: Avro


_AGENTS: Final[tuple[Callable[[Dependencies], Agent], ...]] = (
    lambda dependencies: contacts(dependencies.tenancy, dependencies.avro),
    lambda dependencies: companies(dependencies.tenancy),
    lambda dependencies: people(dependencies.tenancy, dependencies.avro),
    lambda _: identity(),
    lambda dependencies: orgs(dependencies.tenancy, dependencies.avro),
    lambda dependencies: person_records(dependencies.tenancy, dependencies.avro),
    lambda dependencies: org_records(dependencies.tenancy, dependencies.avro),
    lambda dependencies: memberships(dependencies.tenancy, dependencies.avro),
    lambda dependencies: conversations(dependencies.tenancy, dependencies.avro),
    lambda dependencies: happenings(dependencies.tenancy),
    lambda dependencies: activities(dependencies.tenancy),
    lambda dependencies: timelines(dependencies.avro),
    lambda dependencies: admins(dependencies.tenancy, dependencies.avro),
    lambda dependencies: directory(dependencies.tenancy, dependencies.avro),
    lambda dependencies: access(dependencies.avro),
)


_CHECKPOINTED: Final = MappingProxyType({
    **dict.fromkeys(("contacts", "companies", "person_records", "org_records"), record_messages),
    "conversations": checkpoint_messages,
})  # fmt: skip
"""The agents whose tables follow from inbound topics that have a limit, and what stands for their rows there."""

_MARKS: Final = MappingProxyType({"person_records": withdrawals_of, "org_records": withdrawals_of})
"""The agents that have rows about whole partitions, and what stands for these."""


def agents_of(tenancy: Tenancy, avro: Avro) -> tuple[Agent, ...]:
    """Return every agent of the product."""
    dependencies = Dependencies(tenancy, avro)
    agents = (make(dependencies) for make in _AGENTS)
    visits: dict[str, Visit] = {"conversations": partial(seal_if_over, avro)}
    return tuple(
        with_checkpoints(agent, messages=_CHECKPOINTED[agent.name], marks=_MARKS.get(agent.name), visit=visits.get(agent.name))
        if agent.name in _CHECKPOINTED
        else agent
        for agent in agents
    )


def source_topics() -> tuple[str, ...]:
    """Return the topics that agents read, which do not depend on the configuration."""
    agents = agents_of(Tenancy.of((), ()), Avro.local())
    return tuple(sorted({source for agent in agents for source in agent.sources}))
