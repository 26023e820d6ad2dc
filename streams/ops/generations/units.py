"""Units: the agents that send each other internal topics. A generation has them all, with topics of its own between them."""

from collections.abc import Collection, Iterable

import msgspec

from schemas.topics import TOPICS, Encoding
from streams.engine.agent import Agent


class Unit(msgspec.Struct, frozen=True):
    """Agents that can only be rebuilt together, the topics between them, and what reaches them from outside."""

    agents: tuple[str, ...]
    internal: tuple[str, ...]
    inputs: tuple[str, ...]


def unit_of(name: str, agents: Collection[Agent]) -> Unit:
    """Return the unit of an agent."""
    names, size = {name}, 0
    while size != len(names):
        size = len(names)
        for topic in _between(agents):
            ends = _ends(topic, agents)
            names |= ends if ends & names else set()
    return _unit(names, agents)


def units_of(agents: Collection[Agent]) -> tuple[Unit, ...]:
    """Return all units."""
    return tuple(dict.fromkeys(unit_of(agent.name, agents) for agent in agents))


def together(units: Iterable[Unit]) -> Unit:
    """Return several units as one, for a rebuild of all."""
    parts = tuple(units)
    return Unit(
        tuple(name for part in parts for name in part.agents),
        tuple(topic for part in parts for topic in part.internal),
        tuple(topic for part in parts for topic in part.inputs),
    )


def _unit(names: Collection[str], agents: Collection[Agent]) -> Unit:
    members = [agent for agent in agents if agent.name in names]
    internal = tuple(topic for topic in _between(agents) if _ends(topic, agents) <= set(names))
    sources = dict.fromkeys(source for agent in members for source in agent.sources)
    return Unit(tuple(agent.name for agent in members), internal, tuple(each for each in sources if each not in internal))


def _between(agents: Collection[Agent]) -> list[str]:
    """Return the internal topics that some agent writes and another reads, without those that all generations share."""
    names = {agent.name for agent in agents}
    return [
        topic.name
        for topic in TOPICS.values()
        if topic.encoding is Encoding.INTERNAL
        and not topic.shared
        and names & set(topic.written_by)
        and _readers(topic.name, agents)
    ]


def _readers(topic: str, agents: Collection[Agent]) -> set[str]:
    return {agent.name for agent in agents if topic in agent.sources}


def _ends(topic: str, agents: Collection[Agent]) -> set[str]:
    return {agent.name for agent in agents if agent.name in TOPICS[topic].written_by} | _readers(topic, agents)
