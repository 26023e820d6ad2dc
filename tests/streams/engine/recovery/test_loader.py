"""Restoring large tables on a real broker: no partition waits for another's table, and nothing is read twice."""

import asyncio
from typing import Any

import httpx
import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.errors import MissingRecords
from streams.engine.recovery import changelog_reader
from streams.engine.recovery.progress import RestoreDone, RestorePart, RestoreProgress
from streams.engine.recovery.restoration import Restoration
from streams.engine.runner import running
from streams.engine.tables.store import MemoryStore, Store
from streams.worker.probes import Probes
from tests.patience import DEADLINE_S
from tests.support.changelogs import AGENT, QUICK, Gate, fill, rows
from tests.support.counting_agent import PARTITIONS, SOURCE, create_topics, producing, write
from tests.support.engines import live, until

pytestmark = pytest.mark.asyncio


async def test_a_worker_that_joins_during_a_load_is_served_at_once_and_nothing_is_read_twice(
    settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the load pauses, the group works, and what was read before the rebalance is used after it."""
    await create_topics(settings, AGENT)
    await fill(settings, dict.fromkeys(range(PARTITIONS), 60), size=4_000)  # several fetches for each
    gate = Gate(monkeypatch, poll_records=20)
    async with running((AGENT,), kafka=settings, limits=QUICK) as first:
        while not first.engine.all_processors() or min(rows(first).values()) == 0:
            await gate.let_one_poll()
        await until(lambda: gate.waiting == 1, "the first waits")
        epoch, read = first.engine.assignment.epoch, rows(first)
        async with running((AGENT,), kafka=settings, limits=QUICK) as second:
            await until(
                lambda: len(second.engine.all_processors()) == PARTITIONS // 2,
                "the second is given its share while the first loads",
            )
            await until(lambda: gate.waiting == 2, "the second begins to load")
            assert first.engine.assignment.epoch == epoch + 1
            assert not first.engine.ready.is_set()
            before = gate.applied
            await gate.let_one_poll()
            await until(lambda: gate.waiting == 2, "the first continues with what it owns now")
            assert gate.applied == before, "and reads no more of what it owned"
            gate.open()
            await until(lambda: first.engine.ready.is_set() and second.engine.ready.is_set(), "both are ready")
            assert first.engine.assignment.epoch == epoch + 1, "no worker lost its membership"
            assert rows(first) | rows(second) == dict.fromkeys(range(PARTITIONS), 60)
            lost = sum(read[partition] + 1 for partition in live(second))
            assert gate.applied <= PARTITIONS * (60 + 1) + lost + PARTITIONS, "each once, and the record of each bookmark"


async def test_a_table_that_is_right_serves_while_a_large_one_is_restored(
    settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create_topics(settings, AGENT)
    await fill(settings, {0: 400, 1: 3, 2: 3, 3: 3}, size=2_000)
    gate = Gate(monkeypatch, poll_records=10)
    reports: list[RestoreProgress | RestoreDone] = []
    async with running((AGENT,), kafka=settings, limits=QUICK, on_progress=reports.append) as work:
        while len(live(work)) < PARTITIONS - 1:
            await gate.let_one_poll()
        assert live(work) == {1, 2, 3}
        assert not work.engine.ready.is_set()
        progress = work.engine.progress()
        assert progress is not None
        assert 0 < progress.total.read < progress.total.of == 401 + 3 * 4
        key = await _send_to(settings, {1, 2, 3})
        await until(
            lambda: any(processor.view().get(key) == b"new" for processor in work.engine.all_processors()),
            "the others are at work",
        )
        assert 0 not in live(work)
        gate.open()
        await until(work.engine.ready.is_set, "all are restored")
        assert work.engine.progress() is None
        assert live(work) == set(range(PARTITIONS))
    assert [(done.records, done.rows) for done in reports if isinstance(done, RestoreDone)] == [(401 + 3 * 4, 400 + 3 * 3)]


async def _send_to(settings: KafkaSettings, partitions: set[int]) -> str:
    from schemas.partition import partition_of

    key = next(key for number in range(100) if partition_of((key := f"n{number}").encode(), PARTITIONS) in partitions)
    async with producing(settings) as producer:
        await write(producer, settings, SOURCE, key, b"new")
    return key


async def test_probes_answer_during_a_load_and_say_how_far_it_is_and_what_stopped(
    settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create_topics(settings, AGENT)
    await fill(settings, dict.fromkeys(range(PARTITIONS), 60))
    gate = Gate(monkeypatch, poll_records=20)
    async with (
        Probes("127.0.0.1:0") as probes,
        httpx.AsyncClient(base_url=f"http://{probes.address}", timeout=DEADLINE_S) as client,
    ):
        assert (await client.get("/ready")).json()["hint"].startswith("waiting for Kafka")
        async with running((AGENT,), kafka=settings, limits=QUICK) as work:
            probes.watch(work.engine)
            while not gate.applied:
                await gate.let_one_poll()
            await until(lambda: gate.waiting == 1, "the load waits")
            assert (await client.get("/health")).status_code == 200
            answer = await client.get("/ready")
            status = answer.json()
            assert (answer.status_code, status["ready"]) == (503, False)
            assert status["hint"].startswith("restoring tables: ")
            assert status["restoring"]["agents"] == {AGENT.name: {"offsets_read": gate.applied, "offsets": 61 * PARTITIONS}}
            assert f'restore_offsets_read{{agent="{AGENT.name}"}} {gate.applied}.0' in (await client.get("/metrics")).text
            gate.open()
            await until(work.engine.ready.is_set, "restored")
            assert (await client.get("/ready")).status_code == 200
            assert "restore_offsets_read{" not in (await client.get("/metrics")).text
            work.engine.all_processors()[0].stop(MissingRecords("records were deleted before they were read"))
            answer = await client.get("/ready")
            assert (answer.status_code, answer.json()["hint"]) == (
                503,
                "1 of 4 partitions are stopped and wait for you: see `reason`",
            )
            assert "records were deleted before they were read" in answer.text


async def test_large_rows_are_taken_a_few_at_a_time(settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise rows of 100 kB that compress to nothing would be applied by the thousand."""
    await create_topics(settings, AGENT)
    await fill(settings, {0: 300}, size=100_000)
    monkeypatch.setattr(changelog_reader, "_MAX_POLL_BYTES", 1_000_000)
    sizes: list[int] = []
    apply = Restoration.apply

    def counting(self: Restoration, records: list[Any]) -> bool:
        sizes.append(sum(len(record.value or b"") for record in records))
        return apply(self, records)

    monkeypatch.setattr(Restoration, "apply", counting)
    async with running((AGENT,), kafka=settings, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "restored")
        assert rows(work)[0] == 300
    assert max(sizes[1:]) <= 1_000_000
    assert len(sizes) > 20


async def test_a_load_whose_store_fails_does_not_hold_up_the_others(settings: KafkaSettings) -> None:
    from schemas.errors import StoreFailed

    await create_topics(settings, AGENT)
    await fill(settings, dict.fromkeys(range(PARTITIONS), 5))
    failing = asyncio.Event()
    failing.set()

    class Broken(MemoryStore):
        def apply(self, *args: Any) -> None:
            if failing.is_set():
                raise StoreFailed("no room")
            super().apply(*args)

    async def store_of(agent: str, partition: int) -> Store:
        return Broken() if partition == 2 else MemoryStore()

    async with running((AGENT,), kafka=settings, limits=QUICK, store_of=store_of) as work:
        await until(lambda: live(work) == {0, 1, 3}, "the others are live")
        failing.clear()
        await until(lambda: live(work) == {0, 1, 2, 3}, "and the last when its disk works again")
        assert rows(work) == dict.fromkeys(range(PARTITIONS), 5)


async def test_the_words_about_a_load_are_true() -> None:
    progress = RestoreProgress((RestorePart("contacts", 50, 100), RestorePart("people", 0, 300)), 10.0)
    assert str(progress) == (
        "restoring tables: 50 of 400 changelog offsets, 5 a second, about 70 s left (contacts 50 %, people 0 %)"
    )
    assert RestoreProgress((RestorePart("a", 0, 5),), 3.0).remaining_seconds is None
    assert str(RestoreProgress((RestorePart("a", 0, 5),), 3.0)) == "restoring tables: 0 of 5 changelog offsets (a 0 %)"
    assert (
        str(RestoreDone(1_000_000, 1_000_004, 125.2))
        == "tables restored: 1,000,000 rows, 1,000,004 changelog records read, in 2 min 5 s"
    )
    assert RestorePart("a", 999, 1_000).percent == 99
    assert RestorePart("a", 0, 0).percent == 100
