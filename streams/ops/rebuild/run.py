"""Run a rebuild: follow the live generation, stand still together, compare, and swap."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import msgspec
from aiokafka import TopicPartition

from connectors.kafka.admin import admin_client
from schemas.errors import BadConfiguration
from schemas.generations import RebuildEntry
from streams.agents.rebuilt.rules import rules_of
from streams.engine.agent import Agent
from streams.engine.naming import Naming
from streams.engine.recovery.changelog_reader import group_offsets
from streams.engine.runner import Running
from streams.ops.generations.state import GenerationsState, read_generations
from streams.ops.generations.units import Unit
from streams.ops.rebuild.at_rest import Agents
from streams.ops.rebuild.compare import TableComparison, compare
from streams.ops.rebuild.day import take_over_day
from streams.ops.rebuild.hold import HeldAgents, holding
from streams.ops.rebuild.job import RebuildJob
from streams.ops.rebuild.swap import Swap, advanced, take_over
from streams.ops.rebuild.tables import AgentTables

_FOLLOW_SECONDS = 1.0  # between two looks at where the live generation is
_LOOK_SECONDS = 0.2  # whether the person wants to stop
_NEAR = 500  # offsets behind the live one: what is left is read while both stand still
_REST_SECONDS = 300.0  # for both to come to rest; the agents' own load included


class _Paused(Exception):
    """The person stopped a comparison; what is built stays."""


class BuildProgress(NamedTuple):
    """How many offsets of its inputs a rebuild has read, and how many the live generation has."""

    read: int
    of: int


class RebuildWatcher(NamedTuple):
    """Callbacks for progress and for each step, and whether the person wants to stop."""

    on_progress: Callable[[BuildProgress], None]
    on_step: Callable[[str], None]
    stopped: Callable[[], bool]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A rebuild as it is now, the comparison, empty where it was stopped before, and how many public records the swap wrote."""

    entry: RebuildEntry
    tables: tuple[TableComparison, ...] = ()
    published: int = 0
    stood_still: float = 0.0  # seconds


class _Generation(NamedTuple):
    """One generation with its running engine."""

    work: Running
    members: tuple[Agent, ...]
    names: Naming
    stops: dict[TopicPartition, int]

    @property
    def agents(self) -> Agents:
        return Agents(self.work, self.members, self.names, self.stops)


class RebuildRun:
    """One rebuild in one process."""

    def __init__(self, job: RebuildJob, entry: RebuildEntry, unit: Unit, watcher: RebuildWatcher, *, listed: int) -> None:
        self._job = job
        self._entry = entry
        self._unit = unit
        self._watcher = watcher
        self._listed = listed

    async def run(self, *, swap: bool) -> Outcome:
        """Build until the live generation is reached, compare, and swap if that is wanted and can be done.

        Raises Unavailable where Kafka does not answer or the agents do not come to rest, the engine's own error where it stops.
        """
        state = await read_generations(self._job.kafka)
        async with self._built(state) as built:
            if not await _or_failed(self._follow(state, built), built.work):
                return Outcome(entry=self._entry)
            self._watcher.on_step("comparing: the live agents stand still")
            standing = [agent.name for agent in self._job.live_members(self._unit, state)]
            async with holding(self._job.kafka, self._entry, standing) as held:
                started = time.monotonic()
                try:
                    outcome = await self._compared(state, built, held, swap=swap)
                except _Paused:
                    outcome = Outcome(entry=self._entry)
            return msgspec.structs.replace(outcome, stood_still=time.monotonic() - started)

    @asynccontextmanager
    async def _built(self, state: GenerationsState) -> AsyncIterator[_Generation]:
        """Run the generation that is built, at first without reading any input."""
        generation = self._entry.generation
        names = state.names(self._job.kafka.topic_prefix, generation, f"rebuild-{generation.number}")
        members, stops = self._job.members(generation), dict.fromkeys(await self._partitions(self._unit.inputs), 0)
        async with self._job.engine(members, names, stops, f"{names.group}/new") as work:
            yield _Generation(work, members, names, stops)

    @asynccontextmanager
    async def _live(self, state: GenerationsState) -> AsyncIterator[_Generation]:
        """Run the live generation in place of its workers, which stand still; it reads no input."""
        names = state.names(self._job.kafka.topic_prefix, role=f"held-{self._entry.generation.number}")
        members = self._job.live_members(self._unit, state)
        shared = [topic for agent in members if agent.name not in self._unit.agents for topic in agent.sources]
        stops = dict.fromkeys(await self._partitions({*self._unit.inputs, *shared}), 0)
        async with self._job.engine(members, names, stops, f"{names.group}/live") as work:
            yield _Generation(work, members, names, stops)

    async def _follow(self, state: GenerationsState, built: _Generation) -> bool:
        """Read what the live generation has read, until little is left. Return False where the person stopped it."""
        async with AsyncExitStack() as stack:
            admin = await stack.enter_async_context(admin_client(self._job.kafka))
            while not self._watcher.stopped():
                built.stops.update(await self._live_positions(state, admin, list(built.stops)))
                positions = built.agents.positions()
                read = sum(min(positions.get(tp, 0), stop) for tp, stop in built.stops.items())
                progress = BuildProgress(read, sum(built.stops.values()))
                self._watcher.on_progress(progress)
                if built.work.engine.ready.is_set() and progress.of - progress.read <= _NEAR and _all_read(built):
                    return True
                await self._still_wanted()
                await asyncio.sleep(_FOLLOW_SECONDS)
        return False

    async def _still_wanted(self) -> None:
        entry = (await read_generations(self._job.kafka)).rebuilds[self._entry.id]
        if entry.result is not None:
            raise BadConfiguration(f"rebuild {entry.id} was ended meanwhile ({entry.result})")

    async def _compared(self, state: GenerationsState, built: _Generation, held: HeldAgents, *, swap: bool) -> Outcome:
        async with self._live(state) as live:
            await self._or_paused(live.agents.until_at_rest(self._job.kafka, self._job.limits, _REST_SECONDS), live.work)
            positions = live.agents.positions()
            built.stops.update({tp: positions[tp] for tp in built.stops if tp in positions})
            await self._or_paused(take_over_day(live.work, built.work, built.names, held), built.work)
            await self._or_paused(built.agents.until_at_rest(self._job.kafka, self._job.limits, _REST_SECONDS), built.work)
            tables = [self._tables(agent, live, built) for agent in self._job.agents if agent.name in self._unit.agents]
            compared = tuple([await asyncio.to_thread(compare, each, self._listed) for each in tables])
            outcome = Outcome(entry=self._entry, tables=compared)
            if not swap or self._watcher.stopped():
                return outcome
            if stuck := [each.agent for each in compared if not each.can_swap]:
                raise BadConfiguration(
                    f"the tables of {', '.join(stuck)} differ, and what follows from them is a history that is not rewritten: "
                    "nothing was changed. `intercom-streams replay` applies what was missed; `--discard` ends the rebuild"
                )
            self._watcher.on_step("swapping")
            return await self._swapped(held, outcome, tables, built)

    async def _or_paused(self, work: Awaitable[Any], running: Running) -> None:
        """Wait for work while agents stand still. Raises _Paused where the person stops it, the engine's error where that stops."""
        task = asyncio.ensure_future(_or_failed(work, running))
        try:
            while not (await asyncio.wait({task}, timeout=_LOOK_SECONDS))[0]:
                if self._watcher.stopped():
                    raise _Paused
            task.result()
        finally:
            task.cancel()
            await asyncio.wait({task})

    def _tables(self, agent: Agent, live: _Generation, built: _Generation) -> AgentTables:
        return AgentTables.of(agent, rules_of(agent, self._job.tenancy, self._job.avro), live.work, built.work)

    async def _swapped(self, held: HeldAgents, outcome: Outcome, tables: Collection[AgentTables], built: _Generation) -> Outcome:
        entry = held.state.rebuilds[self._entry.id]
        encoding = min(each.commit_state.encoding for each in built.work.engine.all_processors())
        swap = Swap(entry=entry, names=built.names, time=time.time_ns() // 1_000_000, encoding=encoding)
        published = 0
        for each in tables:
            parts = swap.corrections(each)
            while (part := await asyncio.to_thread(next, parts, None)) is not None:  # the hold is renewed meanwhile
                entry = advanced(entry, part)
                await held.write(entry, part.records)
                published += part.published
        return msgspec.structs.replace(outcome, entry=await take_over(held, entry), published=published)

    async def _partitions(self, topics: Collection[str]) -> list[TopicPartition]:
        kafka = self._job.kafka
        async with admin_client(kafka) as admin:
            described = await admin.describe_topics([kafka.topic(name) for name in sorted(topics)])
        return [TopicPartition(each["topic"], part["partition"]) for each in described for part in each["partitions"]]

    async def _live_positions(
        self, state: GenerationsState, admin: Any, inputs: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """Return how far the live generation has read each input."""
        names = state.names(self._job.kafka.topic_prefix)
        readers = {names.topic(topic): agent.name for agent in self._job.agents for topic in agent.sources}
        groups = {tp: names.offsets_group(readers[tp.topic]) for tp in inputs}
        committed = {group: await group_offsets(admin, group) for group in set(groups.values())}
        return {tp: committed[group].get(tp, 0) for tp, group in groups.items()}


def _all_read(built: _Generation) -> bool:
    return all(not each.buffer for each in built.work.engine.all_processors())


async def _or_failed(work: Awaitable[Any], running: Running) -> Any:
    """Return what the work does, or raise the error that stops the engine meanwhile."""
    task, failed = asyncio.ensure_future(work), asyncio.ensure_future(running.failed())
    try:
        await asyncio.wait({task, failed}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise failed.result()
        return task.result()
    finally:
        task.cancel()
        failed.cancel()
        await asyncio.wait({task, failed})
