"""The engine on a real broker: what goes in comes out exactly once, whatever happens between, with tables in memory and on disk."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from faust.types.tuples import TP

from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from schemas.dead_letters import origin_of
from streams.engine.agent import Agent, Batch, Outbox, Table, Wake
from streams.engine.engine import Engine
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.fetch_buffer import FetchedBatch, size_of
from streams.engine.partition.processor import PartitionStatus
from streams.engine.recovery.changelog_reader import fenced_producer
from streams.engine.runner import Running
from streams.engine.runner import running as _running
from streams.engine.tables.rocksdb import RocksStores
from streams.engine.tables.store import open_memory_store
from tests.support.counting_agent import (
    OUT,
    PARTITIONS,
    SECOND,
    SOURCE,
    count,
    counting,
    create_topics,
    producing,
    read_all,
    write,
)

pytestmark = pytest.mark.asyncio

QUICK = Limits(settle_seconds=0.1, reload_seconds=0.05, session_timeout_ms=6_000, heartbeat_ms=500)
KEYS = [f"k{number}" for number in range(7)]


@pytest.fixture
def settings(kafka: str, prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS)


@pytest.fixture(params=["memory", "disk"], autouse=True)
def running(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test here run with tables of both kinds; workers of one test share the folder, as those of one host do."""
    stores = {"memory": open_memory_store, "disk": RocksStores(tmp_path, frozenset({"count"}))}
    monkeypatch.setitem(globals(), "running", partial(_running, store_of=stores[request.param]))


async def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited {seconds} s for: {what}"
        await asyncio.sleep(0.02)


def processed(work: Running, topic: str = SOURCE) -> int:
    return sum(lane.positions.get(topic, 0) for lane in work.engine.all_processors())


async def counts(settings: KafkaSettings) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for record in await read_all(settings, OUT):
        value = json.loads(record.value)
        found.setdefault(value["key"], []).append(value["n"])
    return found


async def send(settings: KafkaSettings, keys: list[str], topic: str = SOURCE, value: bytes = b"x") -> None:
    async with producing(settings) as producer:
        for key in keys:
            await write(producer, settings, topic, key, value)


def exactly(keys: list[str]) -> dict[str, list[int]]:
    return {key: list(range(1, times + 1)) for key, times in Counter(keys).items()}


async def test_each_record_is_counted_once_in_order_and_over_restarts(settings: KafkaSettings) -> None:
    agent = counting()
    await create_topics(settings, agent)
    keys = KEYS * 20
    for part in (keys[:60], keys[60:]):
        await send(settings, part)
        async with running((agent,), kafka=settings, limits=QUICK) as work:
            await until(
                lambda: work.engine.ready.is_set() and all(lane.caught_up for lane in work.engine.all_processors()), "caught up"
            )
            assert len(work.engine.all_processors()) == PARTITIONS
    assert await counts(settings) == exactly(keys)


async def test_two_sources_feed_one_table(settings: KafkaSettings) -> None:
    agent = counting(sources=(SOURCE, SECOND))
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await send(settings, KEYS, SOURCE)
        await send(settings, KEYS, SECOND)
        await until(lambda: processed(work) == processed(work, SECOND) == len(KEYS), "both sources read")
    assert await counts(settings) == exactly(KEYS * 2)


async def test_a_poison_record_goes_to_dead_letters_and_its_neighbours_go_on(settings: KafkaSettings) -> None:
    agent = counting()
    await create_topics(settings, agent)
    async with producing(settings) as producer:
        for key in KEYS:
            await write(producer, settings, SOURCE, key)
        await write(producer, settings, SOURCE, KEYS[0], b"poison")
        await write(producer, settings, SOURCE, KEYS[0], b"unusable")
        for key in KEYS:
            await write(producer, settings, SOURCE, key)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(lambda: processed(work) == 2 * len(KEYS) + 2, "all read")
    assert await counts(settings) == exactly(KEYS * 2)
    letters = await read_all(settings, "dead.letters")
    assert sorted(letter.value for letter in letters) == [b"poison", b"unusable"]
    lay = {record.value: record for record in await read_all(settings, SOURCE)}
    for letter in letters:
        record, found = lay[letter.value], origin_of(letter.headers)
        assert found is not None
        assert (letter.key, found.topic, found.agent) == (record.key, SOURCE, agent.name)
        assert (found.partition, found.offset, found.timestamp) == (record.partition, record.offset, record.timestamp)
    reasons = {letter.value: found.reason for letter in letters if (found := origin_of(letter.headers))}
    assert reasons[b"unusable"] == "the value says so"
    assert "ValueError" in reasons[b"poison"]
    assert "secret@example.com" not in reasons[b"poison"]


async def test_too_many_poison_records_stop_the_worker_before_anything_is_committed(settings: KafkaSettings) -> None:
    agent = counting()
    await create_topics(settings, agent)
    await send(settings, ["k"] * 30, value=b"poison")
    async with running((agent,), kafka=settings, limits=Limits(dead_letter_consecutive=20)) as work:
        error = await asyncio.wait_for(work.failed(), 60)
    assert "20 records in a row, such as the one at offset 29 of partition " in str(error)
    assert f"of {SOURCE}: ValueError at count" in str(error)
    assert await read_all(settings, "dead.letters") == []


async def test_a_lane_whose_producer_was_fenced_loads_again_and_loses_nothing(settings: KafkaSettings) -> None:
    agent = counting()
    await create_topics(settings, agent)
    names = Naming(prefix=settings.topic_prefix)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await send(settings, KEYS)
        await until(lambda: processed(work) == len(KEYS), "first round")
        for partition in range(PARTITIONS):
            rival = await fenced_producer(settings, names.transactional_id(agent.name, partition), QUICK)
            await rival.stop()
        await send(settings, KEYS)
        await until(
            lambda: (
                processed(work) > 2 * len(KEYS) - 1
                and all(lane.status is PartitionStatus.LIVE for lane in work.engine.all_processors())
            ),
            "2nd",
        )
    assert await counts(settings) == exactly(KEYS * 2)


async def test_positions_pass_markers_and_aborted_records(settings: KafkaSettings) -> None:
    agent = counting()
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        async with producing(settings, transactional_id=f"{settings.topic_prefix}source") as producer:
            for outcome in ("abort", "commit", "abort", "commit"):
                await producer.begin_transaction()
                await write(producer, settings, SOURCE, "k", b"x")
                await (producer.abort_transaction() if outcome == "abort" else producer.commit_transaction())
        await until(lambda: processed(work) == 8, "four records and four markers")
        lane = next(lane for lane in work.engine.all_processors() if lane.positions[SOURCE] == 8)
        await until(lambda: lane.caught_up, "caught up behind the last marker")
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "ready again")
        assert processed(work) == 8, "positions behind markers are committed too"
    assert await counts(settings) == {"k": [1, 2]}


async def test_a_log_that_lost_unread_records_stops_its_partition_alone(settings: KafkaSettings) -> None:
    agent = counting()
    await create_topics(settings, agent)
    await send(settings, KEYS * 3)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(lambda: processed(work) == 3 * len(KEYS), "first round")
    await send(settings, KEYS * 3)
    async with producing(settings) as producer:
        await producer.client.force_metadata_update()
    await delete_up_to_end(settings, SOURCE, 0)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "ready")
        await until(
            lambda: all(lane.caught_up for lane in work.engine.all_processors() if lane.status is PartitionStatus.LIVE),
            "the others caught up",
        )
        stopped = [lane for lane in work.engine.all_processors() if lane.status is PartitionStatus.STOPPED]
    assert [lane.partition for lane in stopped] == [0]
    assert "were deleted before they were read" in stopped[0].reason


async def delete_up_to_end(settings: KafkaSettings, topic: str, partition: int) -> None:
    from aiokafka import AIOKafkaConsumer, TopicPartition
    from aiokafka.admin import RecordsToDelete

    place = TopicPartition(settings.topic(topic), partition)
    consumer = AIOKafkaConsumer(**settings.client())
    await consumer.start()
    end = (await consumer.end_offsets([place]))[place]
    await consumer.stop()
    async with admin_client(settings) as admin:
        await admin.delete_records({place: RecordsToDelete(before_offset=end)})


async def test_an_agent_is_woken_once_when_its_instant_has_come(settings: KafkaSettings) -> None:
    def wake(table: Table[int]) -> Wake | None:
        return Wake(at=1, topic=SOURCE, key=b"k", value=b"wake") if table.get("k") == 1 else None

    agent = Agent(name="count", sources=(SOURCE,), step=count, codec=counting().codec, wake=wake)
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await send(settings, ["k"])
        await until(
            lambda: any(lane.view().get("k") == 2 for lane in work.engine.all_processors()), "the wake record was counted"
        )
        await asyncio.sleep(0.5)
    assert await counts(settings) == {"k": [1, 2]}


async def test_left_over_work_goes_on_between_new_records_and_over_a_restart(settings: KafkaSettings) -> None:
    """Ten parts are left over by one record; records that come meanwhile are not held up, and no part is done twice."""

    def step(batch: Batch, table: Table[int], out: Outbox) -> bytes | None:
        count(batch, table, out)
        return b"10" if any(record.value == b"large" for record in batch.records) else None

    def go_on(cursor: bytes, table: Table[int], out: Outbox) -> bytes | None:
        left = int(cursor)
        out.send(OUT, "part", json.dumps({"key": "part", "n": 11 - left}).encode())
        table.put("parts", "", (table.get("parts") or 0) + 1)
        return str(left - 1).encode() if left > 1 else None

    agent = Agent(name="count", sources=(SOURCE,), step=step, codec=counting().codec, resume=go_on)
    await create_topics(settings, agent)
    async with producing(settings) as producer:
        await write(producer, settings, SOURCE, "k", b"large")
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(lambda: _count(work, "parts") >= 3, "some parts are done")
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await send(settings, ["k"])
        await until(lambda: _count(work, "parts") == 10 and _count(work, "k") == 2, "all parts and the new record are done")
        assert all(lane.caught_up for lane in work.engine.all_processors())
    assert await counts(settings) == {"k": [1, 2], "part": list(range(1, 11))}


async def test_two_workers_share_the_partitions_and_a_leaver_hands_over(settings: KafkaSettings) -> None:
    agent = counting()
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as first:
        await send(settings, KEYS * 5)
        async with running((agent,), kafka=settings, limits=QUICK) as second:
            await until(
                lambda: len(first.engine.all_processors()) == len(second.engine.all_processors()) == PARTITIONS // 2, "shared"
            )
            await send(settings, KEYS * 5)
            await until(
                lambda: all(lane.caught_up for work in (first, second) for lane in work.engine.all_processors()), "caught up"
            )
        await until(lambda: len(first.engine.all_processors()) == PARTITIONS and first.engine.ready.is_set(), "taken over")
        await send(settings, KEYS * 5)
        await until(lambda: all(lane.caught_up for lane in first.engine.all_processors()), "caught up")
        await until(lambda: sum(_count(first, key) for key in KEYS) == 15 * len(KEYS), "all counted")
    assert await counts(settings) == exactly(KEYS * 15)


def _count(work: Running, key: str) -> int:
    return max(lane.view().get(key) or 0 for lane in work.engine.all_processors())


async def test_a_partition_revoked_while_it_loads_is_not_opened_and_loads_afresh_when_won_again(settings: KafkaSettings) -> None:
    """Won, lost and won again before the first load ended: the first load must not go live with a fenced producer."""
    agent = counting()
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await send(settings, KEYS)
        await until(lambda: processed(work) == len(KEYS), "first round")
        engine = work.engine
        places = list(engine.positions())
        first = asyncio.create_task(engine.assigned(places))
        await asyncio.sleep(0)
        await engine.revoked()
        await first
        assert not engine.ready.is_set()
        assert {lane.status for lane in engine.all_processors()} == {PartitionStatus.LOADING}
        assert all(lane.producer is None for lane in engine.all_processors())
        await engine.assigned(places)
        await work.app.consumer.perform_seek()
        await send(settings, KEYS)
        await until(lambda: processed(work) == 2 * len(KEYS), "second round")
    assert await counts(settings) == exactly(KEYS * 2)


async def test_a_lost_changelog_stops_its_partitions_instead_of_working_on_empty_tables(settings: KafkaSettings) -> None:
    from aiokafka.admin import NewTopic

    agent = counting()
    await create_topics(settings, agent)
    await send(settings, KEYS)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(lambda: processed(work) == len(KEYS), "first round")
    changelog = settings.topic(Naming(prefix=settings.topic_prefix).changelog(agent.name))
    async with admin_client(settings) as admin:
        await admin.delete_topics([changelog])
        for _ in range(100):
            if changelog not in await admin.list_topics():
                break
            await asyncio.sleep(0.05)
        await admin.create_topics([NewTopic(changelog, PARTITIONS, 1)])
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "ready")
        lanes = [lane for lane in work.engine.all_processors() if lane.status is PartitionStatus.STOPPED]
    assert lanes
    assert all("changelog was lost" in lane.reason for lane in lanes)


async def test_a_zombie_that_wakes_up_after_its_successor_worked_is_refused(settings: KafkaSettings) -> None:
    """Hold the first owner inside its lock, let a second one take over and process, then let the first go on with what it held."""
    agent = counting()
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as zombie:
        await send(settings, KEYS)
        await until(lambda: processed(zombie) == len(KEYS), "first round")
        lanes = zombie.engine.all_processors()
        for lane in lanes:
            await lane.lock.acquire()
        before = {lane.partition: lane.positions[SOURCE] for lane in lanes}
        await send(settings, KEYS)
        successor = Engine((agent,), kafka=settings, names=Naming(prefix=settings.topic_prefix), limits=QUICK)
        await successor.assigned(list(zombie.engine.positions()))
        for place, fetched in await unread(settings, before):
            successor.offer(place, fetched)
        await until(
            lambda: sum(lane.positions[SOURCE] for lane in successor.all_processors()) == 2 * len(KEYS), "the successor worked"
        )
        for lane in lanes:
            lane.lock.release()
        await until(lambda: processed(zombie) == 2 * len(KEYS), "the zombie has learnt where it stands")
        await successor.close()
    assert await counts(settings) == exactly(KEYS * 2)


async def unread(settings: KafkaSettings, before: dict[int, int]) -> list[tuple[TP, FetchedBatch]]:
    """Read what a second owner of the partitions would be given."""
    records = await read_all(settings, SOURCE)
    found = []
    for partition, position in before.items():
        mine = [record for record in records if record.partition == partition and record.offset >= position]
        if mine:
            after = mine[-1].offset + 1
            found.append(
                (TP(settings.topic(SOURCE), partition), FetchedBatch(SOURCE, position, after, mine, after, size_of(mine)))
            )
    return found


async def test_a_lane_lost_while_it_is_revoked_is_left_alone_once_it_is_assigned_again(settings: KafkaSettings) -> None:
    """Its reload wakes up late and must not take the producer of a lane that works again."""
    agent = counting()
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await send(settings, KEYS)
        await until(lambda: processed(work) == len(KEYS), "first round")
        engine = work.engine
        places, lanes = list(engine.positions()), engine.all_processors()
        for lane in lanes:
            await lane.lock.acquire()
        revoking = asyncio.create_task(engine.revoked())
        await asyncio.sleep(0)
        for lane in lanes:
            lane.fail(ConnectionError("in the middle of a revocation"))
        await asyncio.sleep(0)
        for lane in lanes:
            lane.lock.release()
        await revoking
        await engine.assigned(places)
        await work.app.consumer.perform_seek()
        producers = [lane.producer for lane in lanes]
        await asyncio.sleep(QUICK.reload_seconds * 6)
        assert [lane.producer for lane in lanes] == producers
        await send(settings, KEYS)
        await until(lambda: processed(work) == 2 * len(KEYS), "second round")
    assert await counts(settings) == exactly(KEYS * 2)
