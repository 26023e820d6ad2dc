"""The tables of both generations of a rebuild, as far as one agent's: where a group's rows are, and what they hold."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.partition import partition_of
from streams.agents.rebuilt.group_rows import GroupRows
from streams.agents.rebuilt.rules import RebuildRules
from streams.engine.agent import Agent
from streams.engine.runner import Running
from streams.engine.tables.store import Store

Partitions = Mapping[int, Store]


class AgentTables:
    """The stores of one agent in both generations, by partition. Their engines are at rest."""

    def __init__(self, agent: Agent, rules: RebuildRules, live: Partitions, rebuilt: Partitions) -> None:
        self.agent = agent
        self.rules = rules
        self.live = live
        self.rebuilt = rebuilt
        self._groups: dict[int, list[str]] | None = None

    @classmethod
    def of(cls, agent: Agent, rules: RebuildRules, live: Running, rebuilt: Running) -> "AgentTables":
        """Return the tables of an agent that both engines run."""
        return cls(agent, rules, _stores(agent, live), _stores(agent, rebuilt))

    def groups(self, partition: int) -> Sequence[str]:
        """Return the groups that a partition of the rebuilt table has, or would have, in order."""
        if self._groups is None:
            found = {number: {key.partition("|")[0] for key, _ in store.items()} for number, store in self.rebuilt.items()}
            for number, store in self.live.items():
                for group in {key.partition("|")[0] for key, _ in store.items()}:
                    found[self._located(self.rebuilt, number, group)].add(group)
            self._groups = {number: sorted(groups) for number, groups in found.items()}
        return self._groups[partition]

    def rows(self, partition: int, group: str) -> GroupRows:
        """Return a group's rows, given its partition in the rebuilt table."""
        live, rebuilt = self.live[self._located(self.live, partition, group)], self.rebuilt[partition]
        return GroupRows(group, dict(self._decoded(live, group)), dict(self._decoded(rebuilt, group)))

    def comparable(self, group: str, rows: Mapping[str, Any]) -> dict[str, bytes]:
        """Return what counts of a group's rows, by item."""
        found = ((item, self.rules.comparable(group, item, row)) for item, row in rows.items())
        return {item: data for item, data in found if data is not None}

    def _located(self, stores: Partitions, partition: int, group: str) -> int:
        """Return the partition in one generation of a group that the other one has in this partition."""
        if len(self.live) == len(self.rebuilt):
            return partition
        return partition_of(self.rules.located_by(group).encode(), len(stores))

    def _decoded(self, store: Store, group: str) -> Iterator[tuple[str, Any]]:
        own = store.get(group)
        if own is not None:
            yield "", self.agent.codec.decode(own)
        for item, data in store.walk(group, ""):
            yield item, self.agent.codec.decode(data)


def _stores(agent: Agent, work: Running) -> Partitions:
    processors = (each for each in work.engine.all_processors() if each.agent.name == agent.name)
    return {each.partition: each.store for each in processors}
