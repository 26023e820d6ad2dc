"""What a replay for the agents would change: its records go through the agent's step in memory, over the table as it is now.

Nothing is written. It reads the whole changelog of the agent, and takes the memory that its table takes.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby

import msgspec
from aiokafka import TopicPartition

from connectors.kafka.settings import KafkaSettings
from schemas.errors import MustStop, Unavailable
from schemas.partition import partition_of
from streams.engine.agent import Agent, Batch
from streams.engine.in_memory import ListOutbox
from streams.engine.limits import Limits
from streams.engine.partition.table_view import TableView
from streams.engine.recovery.changelog_reader import ChangelogReader, partition_counts
from streams.engine.tables.store import MemoryStore, Store
from streams.ops.generations.live import changelog_of
from streams.ops.replay.plan import ranges_of, records_of
from streams.ops.replay.selection import ReplaySelection, replayed

_LISTED = 20


class TableChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent's table and topics would get: rows changed, the first of their keys, records sent by topic, and what it cost."""

    agent: str
    rows: int
    changed: int
    keys: tuple[str, ...]
    sends: dict[str, int]
    refused: int  # records that would be dead letters
    seconds: float


async def preview(kafka: KafkaSettings, selection: ReplaySelection, agents: tuple[Agent, ...]) -> TableChanges:
    """Return what a replay of the selection would change in the table of the agent that reads its topic.

    What other agents would make of the records it sends is not included.
    """
    started = time.monotonic()
    agent = next(each for each in agents if selection.topic in each.sources)
    stores = await _tables(kafka, agent)
    changed: set[str] = set()
    sends: Counter[str] = Counter()
    refused = 0
    async for records in records_of(kafka, selection, await ranges_of(kafka, selection)):
        wanted = [each for each in records if selection.selects(each) and not replayed(each)]
        by_place = sorted(wanted, key=lambda each: partition_of(each.key or b"", len(stores)))
        for partition, each in groupby(by_place, key=lambda each: partition_of(each.key or b"", len(stores))):
            store = stores[partition]
            for result in _results(agent, store, Batch(selection.topic, partition, list(each))):
                changes, sent = result or ({}, Counter())
                changed |= {key for key, value in changes.items() if store.get(key) != value}
                store.apply(changes)
                sends.update(sent)
                refused += result is None
    return TableChanges(
        agent=agent.name,
        rows=sum(map(len, stores.values())),
        changed=len(changed),
        keys=tuple(sorted(changed)[:_LISTED]),
        sends=dict(sends.most_common()),
        refused=refused,
        seconds=round(time.monotonic() - started, 1),
    )


def _results(agent: Agent, store: Store, batch: Batch) -> Iterator[tuple[Mapping[str, bytes | None], Counter[str]] | None]:
    """Yield changes and the records sent by topic, None for a record that the step refuses: those are looked for one by one.

    The caller applies each result before it asks for the next.
    """
    view, out = TableView(store, agent.codec), ListOutbox()
    try:
        agent.step(batch, view, out)
    except (MustStop, Unavailable):
        raise
    except Exception:  # noqa: BLE001  # as in a worker: whatever a step raises is the record's fault
        if len(batch.records) == 1:
            yield None
            return
        for record in batch.records:
            yield from _results(agent, store, msgspec.structs.replace(batch, records=[record]))
    else:
        yield view.changes(), Counter(sent.topic for sent in out.sent)


async def _tables(kafka: KafkaSettings, agent: Agent) -> dict[int, Store]:
    """Return the agent's table as its changelog has it now, by partition."""
    topic = await changelog_of(kafka, agent.name)
    count = (await partition_counts(kafka, {agent.name: topic}))[agent.name]
    if count == 0:
        raise Unavailable(
            f"there is no table of the {agent.name} agent yet: no worker has run. Without one every record is a change"
        )
    stores: dict[TopicPartition, Store] = {TopicPartition(topic, partition): MemoryStore() for partition in range(count)}
    async with ChangelogReader(kafka, Limits(), partitions=count) as reader:
        restorations = await reader.prepare(stores, {})
        async for _ in reader.restore(restorations, lambda: True, lambda: None):
            pass
    return {tp.partition: store for tp, store in stores.items()}
