"""The engine on a real broker: each record is processed exactly once, with tables in memory and on disk."""

import asyncio
import itertools
import json

import msgspec
import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.dead_letters import origin_of
from streams.engine.agent import Agent, Batch, Outbox, Table, Wake
from streams.engine.limits import Limits
from tests.patience import DEADLINE_S
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
from tests.support.engines import KEYS, QUICK, RunEngine, caught_up, count_of, counts, exactly, processed, send, until

pytestmark = pytest.mark.asyncio


async def test_each_record_is_counted_once_in_order_and_over_restarts(settings: KafkaSettings, running: RunEngine) -> None:
    agent = counting()
    await create_topics(settings, agent)
    keys = KEYS * 20
    for part in (keys[:60], keys[60:]):
        await send(settings, part)
        async with running((agent,), kafka=settings, limits=QUICK) as work:
            await until(lambda: work.engine.ready.is_set() and caught_up(work), "caught up")
            assert len(work.engine.all_processors()) == PARTITIONS
    assert await counts(settings) == exactly(keys)


async def test_two_sources_feed_one_table(settings: KafkaSettings, running: RunEngine) -> None:
    agent = counting(sources=(SOURCE, SECOND))
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await send(settings, KEYS, SOURCE)
        await send(settings, KEYS, SECOND)
        await until(lambda: processed(work) == processed(work, SECOND) == len(KEYS), "both sources read")
    assert await counts(settings) == exactly(KEYS * 2)


async def test_a_leading_source_is_read_to_its_end_before_the_others_at_a_first_start_and_after_one(
    settings: KafkaSettings, running: RunEngine
) -> None:
    agent = msgspec.structs.replace(counting(sources=(SOURCE, SECOND)), leading=(SECOND,))
    await create_topics(settings, agent)
    for _ in range(2):
        await send(settings, KEYS * 30, SOURCE)
        await send(settings, KEYS * 10, SECOND)
        async with running((agent,), kafka=settings, limits=msgspec.structs.replace(QUICK, batch_records=20)) as work:
            await until(lambda: work.engine.ready.is_set() and caught_up(work), "caught up")
    order: dict[int, list[str]] = {}
    for record in await read_all(settings, OUT):
        order.setdefault(record.partition, []).append(json.loads(record.value)["topic"])
    for topics in order.values():
        runs = [topic for topic, _ in itertools.groupby(topics)]
        assert runs == [SECOND, SOURCE] * 2


async def test_a_poison_record_goes_to_dead_letters_and_its_neighbours_go_on(settings: KafkaSettings, running: RunEngine) -> None:
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
    originals = {record.value: record for record in await read_all(settings, SOURCE)}
    for letter in letters:
        record, origin = originals[letter.value], origin_of(letter.headers)
        assert origin is not None
        assert (letter.key, origin.topic, origin.agent) == (record.key, SOURCE, agent.name)
        assert (origin.partition, origin.offset, origin.timestamp) == (record.partition, record.offset, record.timestamp)
    reasons = {letter.value: origin.reason for letter in letters if (origin := origin_of(letter.headers))}
    assert reasons[b"unusable"] == "the value says so"
    assert "ValueError" in reasons[b"poison"]
    assert "secret@example.com" not in reasons[b"poison"]


async def test_too_many_poison_records_stop_the_worker_before_anything_is_committed(
    settings: KafkaSettings, running: RunEngine
) -> None:
    agent = counting()
    await create_topics(settings, agent)
    await send(settings, ["k"] * 30, value=b"poison")
    async with running((agent,), kafka=settings, limits=Limits(dead_letter_consecutive=20)) as work:
        error = await asyncio.wait_for(work.failed(), DEADLINE_S)
    assert "20 records in a row, such as the one at offset 29 of partition " in str(error)
    assert f"of {SOURCE}: ValueError at count" in str(error)
    assert await read_all(settings, "dead.letters") == []


async def test_positions_pass_markers_and_aborted_records(settings: KafkaSettings, running: RunEngine) -> None:
    agent = counting()
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        async with producing(settings, transactional_id=f"{settings.topic_prefix}source") as producer:
            for outcome in ("abort", "commit", "abort", "commit"):
                await producer.begin_transaction()
                await write(producer, settings, SOURCE, "k", b"x")
                await (producer.abort_transaction() if outcome == "abort" else producer.commit_transaction())
        await until(lambda: processed(work) == 8, "four records and four markers")
        processor = next(processor for processor in work.engine.all_processors() if processor.positions[SOURCE] == 8)
        await until(lambda: processor.caught_up, "caught up behind the last marker")
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "ready again")
        assert processed(work) == 8, "positions behind markers are committed too"
    assert await counts(settings) == {"k": [1, 2]}


async def test_an_agent_is_woken_once_when_its_instant_has_come(settings: KafkaSettings, running: RunEngine) -> None:
    def wake(table: Table[int]) -> Wake | None:
        return Wake(at=1, topic=SOURCE, key=b"k", value=b"wake") if table.get("k") == 1 else None

    agent = Agent(name="count", sources=(SOURCE,), step=count, codec=counting().codec, wake=wake)
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await send(settings, ["k"])
        await until(
            lambda: any(processor.view().get("k") == 2 for processor in work.engine.all_processors()),
            "the wake record was counted",
        )
        await asyncio.sleep(0.5)
    assert await counts(settings) == {"k": [1, 2]}


async def test_left_over_work_goes_on_between_new_records_and_over_a_restart(settings: KafkaSettings, running: RunEngine) -> None:
    """One record causes ten parts; records that arrive meanwhile are not delayed, and no part is done twice."""

    def step(batch: Batch, table: Table[int], out: Outbox) -> bytes | None:
        count(batch, table, out)
        return b"10" if any(record.value == b"large" for record in batch.records) else None

    def resume(cursor: bytes, table: Table[int], out: Outbox) -> bytes | None:
        remaining = int(cursor)
        out.send(OUT, "part", json.dumps({"key": "part", "n": 11 - remaining}).encode())
        table.put("parts", "", (table.get("parts") or 0) + 1)
        return str(remaining - 1).encode() if remaining > 1 else None

    agent = Agent(name="count", sources=(SOURCE,), step=step, codec=counting().codec, resume=resume)
    await create_topics(settings, agent)
    async with producing(settings) as producer:
        await write(producer, settings, SOURCE, "k", b"large")
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(lambda: count_of(work, "parts") >= 3, "some parts are done")
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await send(settings, ["k"])
        await until(lambda: count_of(work, "parts") == 10 and count_of(work, "k") == 2, "all parts and the new record are done")
        assert caught_up(work)
    assert await counts(settings) == {"k": [1, 2], "part": list(range(1, 11))}
