"""Whether agents are at rest: every record that they may read is processed, and nothing is on its way between them."""

import asyncio
from collections.abc import Mapping

from aiokafka import TopicPartition

from connectors.kafka.settings import KafkaSettings
from schemas.errors import Unavailable
from streams.engine.agent import Agent
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionStatus
from streams.engine.recovery.changelog_reader import ChangelogReader, partition_counts
from streams.engine.runner import Running

_LOOK_SECONDS = 0.1

Positions = Mapping[TopicPartition, int]


class Agents:
    """The agents of one engine, and how far each may read."""

    def __init__(self, work: Running, agents: tuple[Agent, ...], names: Naming, stops: Positions) -> None:
        self._work = work
        self._agents = agents
        self._names = names
        self._stops = stops

    async def until_at_rest(self, kafka: KafkaSettings, limits: Limits, seconds: float) -> Positions:
        """Return the positions of all sources once nothing is left to do. Raises Unavailable where that takes too long.

        What one agent sends, another reads: so ends of topics are looked at while nobody works, and count if nobody has worked since.
        """
        counts = await partition_counts(
            kafka, {agent.name: self._names.source(agent.name, agent.sources[0]) for agent in self._agents}
        )
        try:
            async with asyncio.timeout(seconds), ChangelogReader(kafka, limits, partitions=1) as reader:
                while True:
                    before = self._idle_positions(sum(counts.values()))
                    if before is not None:
                        ends = (await reader.bounds(before)).ends
                        if before == self._idle_positions(sum(counts.values())) and self._reached(before, ends):
                            return before
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            waiting = sorted(
                f"{each.agent.name} {each.partition} {each.status}, {each.lag} behind"
                for each in self._work.engine.all_processors()
                if each.status is not PartitionStatus.LIVE or not each.caught_up
            )
            raise Unavailable(
                f"the agents did not come to rest within {seconds:.0f} s ({'; '.join(waiting[:5]) or 'they are not assigned yet'})"
            ) from None

    def positions(self) -> dict[TopicPartition, int]:
        """Return the positions of all sources."""
        return {
            tp: processor.positions[topic]
            for processor in self._work.engine.all_processors()
            for topic, tp in self._names.source_partitions(processor.agent, processor.partition).items()
            if topic in processor.positions
        }

    def _idle_positions(self, expected: int) -> dict[TopicPartition, int] | None:
        processors = self._work.engine.all_processors()
        if len(processors) != expected or any(
            each.status is not PartitionStatus.LIVE or each.busy or each.commit_state.pending_work or each.unsettled
            for each in processors
        ):
            return None
        return self.positions()

    def _reached(self, positions: Positions, ends: Positions) -> bool:
        return all(position >= min(ends[tp], self._stops.get(tp, ends[tp])) for tp, position in positions.items())
