"""What the topic `generations` says: read to its end, and written by one process at a time."""

import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec

from connectors.kafka.ranges import OffsetRange, open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, Transactions, append_once, transactions
from schemas.generations import (
    ENTRY,
    GROUP,
    HOLD_KEY,
    TOPIC,
    GenerationsEntry,
    Hold,
    LiveGenerations,
    RebuildEntry,
    TableGeneration,
    key_of,
)
from schemas.partition import partition_of
from schemas.versioned import OLDEST
from streams.engine.naming import Generation, Naming, inputs_agent

_WRITER = "generations"  # the transactional id: a later writer fences an earlier one


class GenerationsState(msgspec.Struct, frozen=True, kw_only=True):
    """The generations, the hold if there is one, and all rebuilds, as of `end`, the offset that was read to."""

    live: LiveGenerations = LiveGenerations()
    hold: Hold | None = None
    rebuilds: Mapping[str, RebuildEntry] = {}
    end: int = 0
    partition: int = 0

    @property
    def held(self) -> frozenset[str]:
        """The agents that stand still: also of a hold that has expired, until that is written."""
        return frozenset(self.hold.agents if self.hold else ())

    def expired(self, now: int) -> bool:
        """Say whether there is a hold whose owner has not renewed it."""
        return self.hold is not None and self.hold.until is not None and self.hold.until <= now

    @property
    def next_number(self) -> int:
        """The number of the next generation: above all that were ever begun."""
        rebuilds = (rebuild.generation.number for rebuild in self.rebuilds.values())
        return max((1, *rebuilds, *(each.number for each in self.live.generations))) + 1

    def names(self, prefix: str, building: TableGeneration | None = None, role: str = "") -> Naming:
        """Return the names of the live generations, or of the one that a rebuild is building."""
        generations = {name: each for live in self.live.generations for name, each in _of(live, live=True).items()}
        if building is not None:
            generations |= _of(building, live=False)
        return Naming(prefix=prefix, generations=generations, role=role)

    def generation_of(self, agents: Collection[str]) -> TableGeneration | None:
        """Return the live generation of these agents; None for the first."""
        return next((each for each in self.live.generations if set(each.agents) & set(agents)), None)


def _of(generation: TableGeneration, *, live: bool) -> dict[str, Generation]:
    names = Generation(number=generation.number, own_topics=frozenset(generation.own_topics), live=live)
    agents = (*generation.agents, *([inputs_agent(generation.number)] if generation.inputs else []))
    return dict.fromkeys(agents, names)


async def read_generations(kafka: KafkaSettings) -> GenerationsState:
    """Return what is written now. Raises Unavailable where Kafka or the topic is not there."""
    async with open_ranges(kafka, kafka.topic(TOPIC)) as reader:
        bounds = await reader.bounds()
        partition = partition_of(GROUP.encode(), len(bounds))
        start, end = bounds[partition]
        state = GenerationsState(end=end, partition=partition)
        async for record in reader.records({partition: OffsetRange(start, end)}):
            state = _apply(state, record.key, record.value)
        return state


class GenerationsWriter:
    """The only process that writes: another one that begins to fences it. `state` is what is written, its own included."""

    def __init__(self, producer: Transactions, state: GenerationsState) -> None:
        self._producer = producer
        self.state = state

    async def write(self, *entries: GenerationsEntry, release: bool = False, records: Sequence[TopicRecord] = ()) -> None:
        """Write entries, and other records with them, in one transaction; `release` ends the hold."""
        own = [(key_of(entry), ENTRY.encode(entry, OLDEST)) for entry in entries]
        written: list[tuple[bytes, bytes | None]] = [*own, *([(HOLD_KEY, None)] if release else [])]
        await self._producer.append([*records, *(TopicRecord(TOPIC, key, value, ()) for key, value in written)])
        for key, value in written:
            self.state = _apply(self.state, key, value)


@asynccontextmanager
async def writing(kafka: KafkaSettings) -> AsyncIterator[GenerationsWriter]:
    """Yield the writer, with what is written once no other can write any more. Raises Unavailable as `transactions` does."""
    async with transactions(kafka, _WRITER) as producer:
        yield GenerationsWriter(producer, await read_generations(kafka))


async def release_expired(kafka: KafkaSettings) -> None:
    """End a hold whose owner is gone; should it come back, it can write nothing. All workers of the hold's agents do this at once."""

    async def missing() -> list[TopicRecord]:
        expired = (await read_generations(kafka)).expired(time.time_ns() // 1_000_000)
        return [TopicRecord(TOPIC, HOLD_KEY, None, ())] if expired else []

    await append_once(kafka, _WRITER, missing)


def replace_live(live: LiveGenerations, generation: TableGeneration) -> tuple[LiveGenerations, tuple[TableGeneration, ...]]:
    """Return the live generations with that one in its agents' place, and those it replaces."""
    replaced = tuple(each for each in live.generations if set(each.agents) & set(generation.agents))
    kept = [_without(each, generation.agents) for each in live.generations]
    return LiveGenerations((*(each for each in kept if each.agents), generation)), replaced


def _without(generation: TableGeneration, agents: Iterable[str]) -> TableGeneration:
    left = tuple(name for name in generation.agents if name not in set(agents))
    return generation if left == generation.agents else msgspec.structs.replace(generation, agents=left)


def _apply(state: GenerationsState, key: bytes, value: bytes | None) -> GenerationsState:
    if value is None:
        return msgspec.structs.replace(state, hold=None) if key == HOLD_KEY else state
    match ENTRY.decode(value):
        case LiveGenerations() as live:
            return msgspec.structs.replace(state, live=live)
        case Hold() as hold:
            return msgspec.structs.replace(state, hold=hold)
        case RebuildEntry() as rebuild:
            return msgspec.structs.replace(state, rebuilds={**state.rebuilds, rebuild.id: rebuild})
