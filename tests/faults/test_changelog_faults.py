"""Faults of a changelog: compacted, emptied, truncated, left with an open transaction; and a broker that forgot a producer.
In each case the table is right or its partition stops with a reason, and recovery ends."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import RecordsToDelete

from connectors import local
from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from schemas.partition import partition_of
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionStatus
from streams.engine.recovery.fencing import fenced_producer
from streams.engine.runner import Running, running
from streams.engine.tables.rocksdb import RocksStores
from streams.engine.tables.store import OpenStore, open_memory_store
from tests.patience import DEADLINE_S
from tests.support.counting_agent import OUT, PARTITIONS, SOURCE, Numbers, create_topics, producing, read_all, write

pytestmark = pytest.mark.asyncio

QUICK = Limits(settle_seconds=0.1, reload_seconds=0.05, session_timeout_ms=6_000, heartbeat_ms=500, batch_records=7)
SEQUENCES_KEPT_S, IDS_KEPT_S = 1, 6
FORGETFUL = {
    "log.cleaner.backoff.ms": "100",  # by default 15 s between two searches for something to compact
    "producer.id.expiration.ms": str(SEQUENCES_KEPT_S * 1_000),  # a day by default
    "producer.id.expiration.check.interval.ms": "200",
    "transactional.id.expiration.ms": str(IDS_KEPT_S * 1_000),  # a week by default
    "transaction.remove.expired.transaction.cleanup.interval.ms": "200",
}
COMPACTED_AT_ONCE = {
    "cleanup.policy": "compact",
    "segment.ms": "1000",
    "min.cleanable.dirty.ratio": "0.01",
    "min.compaction.lag.ms": "0",
    "delete.retention.ms": "0",
}
CUTS = {1: 1.0, 2: 0.5}  # the share of a changelog partition that is deleted
KEYS = [f"k{number}" for number in range(40)]
ONE_IN_EACH = {partition_of(key.encode(), PARTITIONS): key for key in KEYS}  # by partition


def store_numbers(batch: Batch, table: Table[int], out: Outbox) -> None:
    """Store the latest number of each key; 0 deletes the row. Send one output for each record."""
    for record in batch.records:
        key, number = (record.key or b"").decode(), int(record.value or b"0")
        table.put(key, "", number) if number else table.delete(key)
        out.send(OUT, key, json.dumps({"key": key, "n": number}).encode())


AGENT = Agent(name="keep", sources=(SOURCE,), step=store_numbers, codec=Numbers)


class WorkerState(NamedTuple):
    """What a worker had when it had caught up."""

    rows: dict[str, int]
    stopped: dict[int, str]


@pytest.fixture(scope="module")
def forgetful() -> Iterator[str]:
    """The address of a broker that compacts at once and soon forgets idle producers."""
    with local.temporary_stack(settings=FORGETFUL) as stack:
        yield stack.addresses.kafka


@pytest.fixture
def settings(forgetful: str, prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=forgetful, topic_prefix=prefix, partitions=PARTITIONS)


@pytest.fixture
def on_disk(tmp_path: Path) -> OpenStore:
    """The stores on the disk of one host."""
    return RocksStores(tmp_path, frozenset({AGENT.name}))


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited {DEADLINE_S} s for: {what}"
        await asyncio.sleep(0.02)


def at_rest(work: Running) -> bool:
    processors = work.engine.all_processors()
    return work.engine.ready.is_set() and all(
        processor.status is PartitionStatus.STOPPED or (processor.status is PartitionStatus.LIVE and processor.caught_up)
        for processor in processors
    )


def state_of(work: Running) -> WorkerState:
    processors = work.engine.all_processors()
    views = [processor.view() for processor in processors if processor.status is PartitionStatus.LIVE]
    rows = {key: number for key in KEYS for view in views if (number := view.get(key)) is not None}
    return WorkerState(
        rows, {processor.partition: processor.reason for processor in processors if processor.status is PartitionStatus.STOPPED}
    )


async def state_at_rest(settings: KafkaSettings, store_of: OpenStore = open_memory_store) -> WorkerState:
    """Start a worker, wait until it has caught up, stop it, and return its state."""
    async with running((AGENT,), kafka=settings, limits=QUICK, store_of=store_of) as work:
        await until(lambda: at_rest(work), "recovered and caught up")
        return state_of(work)


async def send(settings: KafkaSettings, numbers: Mapping[str, int]) -> None:
    async with producing(settings) as producer:
        await asyncio.gather(*(write(producer, settings, SOURCE, key, str(number).encode()) for key, number in numbers.items()))


def changelog(settings: KafkaSettings, partition: int) -> TopicPartition:
    return TopicPartition(settings.topic(Naming().changelog(AGENT.name)), partition)


@asynccontextmanager
async def consumer_of(settings: KafkaSettings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(**settings.client())
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def delete_records(settings: KafkaSettings, log: TopicPartition, share: float) -> int:
    """Delete a share of a log from its beginning, as retention or an operator would; return its new beginning."""
    async with consumer_of(settings) as consumer:
        end = (await consumer.end_offsets([log]))[log]
    before = int(end * share)
    async with admin_client(settings) as admin:
        await admin.delete_records({log: RecordsToDelete(before_offset=before)})
    return before


def of_partitions(rows: Mapping[str, int], partitions: set[int]) -> dict[str, int]:
    return {key: number for key, number in rows.items() if partition_of(key.encode(), PARTITIONS) in partitions}


async def test_a_changelog_compacted_between_restarts_gives_the_table_back(settings: KafkaSettings, on_disk: OpenStore) -> None:
    """Another worker changes and deletes rows; then the record at the disk's bookmark and the tombstones are compacted away."""
    await create_topics(settings, AGENT, changelog=COMPACTED_AT_ONCE)
    first = {key: number for number, key in enumerate(KEYS, 1)}
    await send(settings, first)
    assert await state_at_rest(settings, on_disk) == WorkerState(first, {})
    before = {(record.partition, record.offset) for record in await read_all(settings, Naming().changelog(AGENT.name))}
    async with running((AGENT,), kafka=settings, limits=QUICK) as work:
        await send(settings, dict.fromkeys(KEYS[::2], 0))
        filler = await wait_for_compaction(settings, before)
        await until(lambda: at_rest(work), "caught up")
    expected = {key: number for key, number in first.items() if key not in KEYS[::2]} | filler
    for stores in (open_memory_store, on_disk):
        assert await state_at_rest(settings, stores) == WorkerState(expected, {})
    async with consumer_of(settings) as consumer:
        partitions = [changelog(settings, partition) for partition in range(PARTITIONS)]
        assert set((await consumer.beginning_offsets(partitions)).values()) == {0}, (
            "compaction does not move the beginning of a log"
        )


async def wait_for_compaction(settings: KafkaSettings, before: set[tuple[int, int]]) -> dict[str, int]:
    """Write one row of each partition until the broker has compacted the earlier records and dropped the tombstones."""
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    number = 0
    while True:
        number += 1
        filler = dict.fromkeys(ONE_IN_EACH.values(), 1000 + number)
        await send(settings, filler)  # a segment is compacted only when there is a newer one
        await asyncio.sleep(0.5)
        records = await read_all(settings, Naming().changelog(AGENT.name))
        commit_states = {(record.partition, record.offset) for record in records if record.key == b"|positions"}
        if not (commit_states & before) and all(record.value is not None for record in records):
            return filler
        assert asyncio.get_running_loop().time() < deadline, f"not compacted after {DEADLINE_S} s"


async def test_partitions_that_never_got_a_record_are_recovered_with_the_others(settings: KafkaSettings) -> None:
    await create_topics(settings, AGENT)
    rows = {"k0": 1}
    await send(settings, rows)
    for _ in range(2):
        assert await state_at_rest(settings) == WorkerState(rows, {})


async def test_a_changelog_that_was_emptied_or_cut_stops_its_partition_unless_the_disk_has_what_it_lost(
    settings: KafkaSettings, on_disk: OpenStore
) -> None:
    """Partition 1 is emptied, with the record that would prove that the disk is right; partition 2 loses its older half."""
    await create_topics(settings, AGENT)
    rows = dict.fromkeys(KEYS, 1)
    await send(settings, rows)
    assert await state_at_rest(settings, on_disk) == WorkerState(rows, {})
    begins = {
        partition: await delete_records(settings, changelog(settings, partition), share) for partition, share in CUTS.items()
    }
    for stores, stopped in ((open_memory_store, {1, 2}), (on_disk, {1})):
        state = await state_at_rest(settings, stores)
        assert state.rows == of_partitions(rows, set(range(PARTITIONS)) - stopped)
        assert state.stopped.keys() == stopped
        for partition, reason in state.stopped.items():
            assert (
                f"partition {partition} of {Naming().changelog(AGENT.name)}: the log now begins at {begins[partition]}" in reason
            )


async def test_recovery_ends_behind_aborted_transactions_and_markers(settings: KafkaSettings, on_disk: OpenStore) -> None:
    """Also where nothing else was ever written, so no later record marks the end."""
    await create_topics(settings, AGENT)
    rows = of_partitions(dict.fromkeys(KEYS, 1), {2})
    await send(settings, rows)
    for stores in (on_disk, open_memory_store, on_disk):
        for partition in range(PARTITIONS):
            await leave_open(settings, partition, abort=True)
        assert await state_at_rest(settings, stores) == WorkerState(rows, {})


async def test_a_transaction_left_open_by_a_killed_owner_is_ended_before_its_time(
    settings: KafkaSettings, on_disk: OpenStore
) -> None:
    """Its timeout is longer than the test's deadline: neither recovery nor the readers of later records wait for it."""
    await create_topics(settings, AGENT)
    for number, stores in enumerate((on_disk, open_memory_store, on_disk), 1):
        rows = dict.fromkeys(KEYS, number)
        await send(settings, rows)
        assert await state_at_rest(settings, stores) == WorkerState(rows, {})
        assert len(await read_all(settings, OUT)) == number * len(rows)
        for partition in range(PARTITIONS):
            await leave_open(settings, partition)


async def leave_open(settings: KafkaSettings, partition: int, *, abort: bool = False) -> None:
    """Write false rows with the transactional id of the partition's owner, and leave the transaction open or aborted."""
    limits = Limits(transaction_timeout_ms=int(5 * DEADLINE_S * 1_000))
    producer = await fenced_producer(
        settings, Naming(prefix=settings.topic_prefix).transactional_id(AGENT.name, partition), limits
    )
    await producer.begin_transaction()
    for key in KEYS:
        for topic in (changelog(settings, partition).topic, settings.topic(OUT)):
            await producer.send(topic, key=key.encode(), value=Numbers.encode(99), partition=partition)
    await producer.flush()
    if abort:
        await producer.abort_transaction()
    await producer.stop()


async def test_anothers_open_transaction_in_the_source_delays_what_is_behind_it_until_it_times_out(
    settings: KafkaSettings,
) -> None:
    await create_topics(settings, AGENT)
    rows = of_partitions(dict.fromkeys(KEYS, 1), {2})
    other = await fenced_producer(settings, f"{settings.topic_prefix}another", Limits(transaction_timeout_ms=2_000))
    await other.begin_transaction()
    await write(other, settings, SOURCE, ONE_IN_EACH[2], b"99")
    await other.stop()
    await send(settings, rows)
    async with running((AGENT,), kafka=settings, limits=QUICK) as work:
        await until(lambda: at_rest(work), "recovered: readiness does not wait for others")
        await until(lambda: state_of(work) == WorkerState(rows, {}), "read on")


async def test_a_quiet_partition_whose_producer_the_broker_has_forgotten_counts_the_next_event_once(
    settings: KafkaSettings,
) -> None:
    """First only its sequence numbers are forgotten (after a day by default), then its transactional id (after a week)."""
    await create_topics(settings, AGENT)
    async with running((AGENT,), kafka=settings, limits=QUICK) as work:
        await until(lambda: at_rest(work), "ready")
        for number, quiet in enumerate((0, 3 * SEQUENCES_KEPT_S, IDS_KEPT_S + 3), 1):
            await asyncio.sleep(quiet)
            before = {processor.partition: processor.producer for processor in work.engine.all_processors()}
            rows = dict.fromkeys(ONE_IN_EACH.values(), number)
            await send(settings, rows)
            await until(lambda rows=rows: state_of(work) == WorkerState(rows, {}), f"events after {quiet} s")
        after = {processor.partition: processor.producer for processor in work.engine.all_processors()}
        assert all(after[partition] is not before[partition] for partition in before), "all ids had been forgotten"
        assert not work.engine.fatal_error.done()
        assert work.app.crash_reason is None
    outputs = Counter(
        (value["key"], value["n"]) for value in (json.loads(record.value) for record in await read_all(settings, OUT))
    )
    assert outputs == Counter((key, number) for key in ONE_IN_EACH.values() for number in (1, 2, 3))
