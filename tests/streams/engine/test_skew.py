"""Partitions that are not alike: one with nearly everything, one whose step is slow, one with huge records.

None starves another, and what waits in memory stays within its limits.
"""

import asyncio
import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pytest

from connectors.kafka.settings import MAX_RECORD_BYTES, KafkaSettings
from schemas.message import header
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.engine import CommitStats
from streams.engine.limits import Limits
from streams.engine.partition.fetch_buffer import FetchBuffer, FetchedBatch
from streams.engine.runner import Running, running
from tests.support.counting_agent import OUT, PARTITIONS, SOURCE, Numbers, create_topics, producing, read_all

pytestmark = pytest.mark.asyncio

QUICK = Limits(settle_seconds=0.1, reload_seconds=0.05, session_timeout_ms=6_000, heartbeat_ms=500)
HOT, OTHERS = 0, range(1, PARTITIONS)
TINY = 200_000
LARGE = 900_000


class Peaks:
    """The most that ever waited in one inbox."""

    records = bytes = 0


@pytest.fixture
def settings(kafka: str, prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS)


@pytest.fixture
def peaks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peaks]:
    found, put = Peaks(), FetchBuffer.put

    def watched(inbox: FetchBuffer, fetched: FetchedBatch) -> None:
        put(inbox, fetched)
        found.records, found.bytes = max(found.records, inbox.records), max(found.bytes, inbox.bytes)

    monkeypatch.setattr(FetchBuffer, "put", watched)
    return found


async def fill(settings: KafkaSettings, partition: int, records: Sequence[tuple[bytes, bytes]]) -> None:
    """Write records to one partition, as fast as that goes."""
    async with producing(settings, max_batch_size=512 << 10, max_request_size=4 << 20) as producer:
        batch, acks = producer.create_batch(), []
        for key, value in records:
            if batch.append(key=key, value=value, timestamp=None) is None:
                acks.append(await producer.send_batch(batch, settings.topic(SOURCE), partition=partition))
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
        acks.append(await producer.send_batch(batch, settings.topic(SOURCE), partition=partition))
        await asyncio.gather(*acks)


async def until(condition: Callable[[], bool], what: str, seconds: float = 90) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited {seconds} s for: {what}"
        await asyncio.sleep(0.02)


def positions(work: Running) -> dict[int, int]:
    return {lane.partition: lane.positions.get(SOURCE, 0) for lane in work.engine.all_processors()}


def before_the_others_were_done(turns: list[CommitStats], done: int) -> int:
    """Count the hot partition's records that were committed before all others had done theirs."""
    left = dict.fromkeys(OTHERS, done)
    hot = 0
    for turn in turns:
        if turn.partition == HOT:
            hot += turn.records
        else:
            left[turn.partition] -= turn.records
        if not any(left.values()):
            return hot
    pytest.fail(f"not done: {left}")


def tally(batch: Batch, table: Table[int], out: Outbox) -> None:
    for key, times in Counter(record.key for record in batch.records).items():
        name = (key or b"").decode()
        table.put(name, "", (table.get(name) or 0) + times)


async def test_one_hot_key_with_two_hundred_thousand_tiny_records_starves_nobody_and_waits_in_the_log(
    settings: KafkaSettings, peaks: Peaks
) -> None:
    agent = Agent(name="tally", sources=(SOURCE,), step=tally, codec=Numbers)
    await create_topics(settings, agent)
    await fill(settings, HOT, [(b"hot", b"x")] * TINY)
    for partition in OTHERS:
        await fill(settings, partition, [(b"cold%d" % partition, b"x")] * 100)
    turns: list[CommitStats] = []
    async with running((agent,), kafka=settings, limits=QUICK, on_commit=turns.append) as work:
        await until(lambda: positions(work) == {HOT: TINY} | dict.fromkeys(OTHERS, 100), "all read")
        rows = {
            lane.partition: lane.view().get("hot") or lane.view().get(f"cold{lane.partition}")
            for lane in work.engine.all_processors()
        }
    assert rows == {HOT: TINY} | dict.fromkeys(OTHERS, 100)
    assert before_the_others_were_done(turns, 100) <= TINY // 10
    assert max(turn.records for turn in turns) == QUICK.batch_records
    assert peaks.records <= QUICK.buffer_records + QUICK.batch_records * 4, "full, and one fetch more"


async def test_a_slow_partition_gets_small_batches_and_the_others_their_turns(settings: KafkaSettings) -> None:
    each, slow, quick = 0.004, 600, 5_000

    def step(batch: Batch, table: Table[int], out: Outbox) -> None:
        if batch.partition == HOT:
            time.sleep(each * len(batch.records))
        tally(batch, table, out)

    agent = Agent(name="slow", sources=(SOURCE,), step=step, codec=Numbers)
    await create_topics(settings, agent)
    await fill(settings, HOT, [(b"slow", b"x")] * slow)
    for partition in OTHERS:
        await fill(settings, partition, [(b"quick", b"x")] * quick)
    turns: list[CommitStats] = []
    async with running((agent,), kafka=settings, limits=QUICK, on_commit=turns.append) as work:
        await until(lambda: positions(work) == {HOT: slow} | dict.fromkeys(OTHERS, quick), "all read")
    first, *later = (turn.records for turn in turns if turn.partition == HOT)
    assert first <= 256
    assert max(later) <= QUICK.step_seconds / each
    assert before_the_others_were_done(turns, quick) < slow, "the quick ones had their turns between the slow one's"


def noise(seed: int, size: int = LARGE) -> bytes:
    """Return bytes that nothing packs."""
    return random.Random(seed).randbytes(size)


class Bytes:
    """A table of bytes."""

    encode = decode = staticmethod(bytes)


def thrice(value: bytes) -> bytes:
    """Make three times as much that nothing packs either."""
    return value + value[::-1] + value[::2] + value[1::2]


def keep(batch: Batch, table: Table[bytes], out: Outbox) -> None:
    """Keep and send each value; `thrice` makes too much of it, `poison` cannot be processed."""
    for record in batch.records:
        key, value = (record.key or b"").decode(), record.value or b""
        table.put(key, "", value)
        out.send(OUT, key, thrice(value) if key == "thrice" else value, partition=batch.partition)
        if key == "poison":
            raise ValueError(key)


async def test_records_of_nine_hundred_kilobytes_go_in_and_out_and_die_without_filling_the_memory(
    settings: KafkaSettings, peaks: Peaks
) -> None:
    agent = Agent(name="keep", sources=(SOURCE,), step=keep, codec=Bytes)
    await create_topics(settings, agent)
    good = [(b"k%d" % (number % 5), noise(number)) for number in range(40)]
    bad = [(b"poison", noise(100)), (b"thrice", noise(101))]
    await fill(settings, HOT, [*good[:20], *bad, *good[20:]])
    turns: list[CommitStats] = []
    async with running((agent,), kafka=settings, limits=QUICK, on_commit=turns.append) as work:
        await until(lambda: positions(work).get(HOT) == len(good) + len(bad), "all read")
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(lambda: positions(work).get(HOT) == len(good) + len(bad), "restored")
        view = next(lane for lane in work.engine.all_processors() if lane.partition == HOT).view()
        assert {key: hashes(view.get(key.decode())) for key, _ in good} == {key: hashes(value) for key, value in good}
        assert view.get("poison") is view.get("thrice") is None
    assert [hashes(record.value) for record in await read_all(settings, OUT)] == [hashes(value) for _, value in good]
    letters = await read_all(settings, "dead.letters")
    assert {letter.key: hashes(letter.value) for letter in letters} == {key: hashes(value) for key, value in bad}
    assert "larger than a record may be" in (
        header(next(one for one in letters if one.key == b"thrice").headers, "dl_reason") or ""
    )
    assert max(turn.records for turn in turns) * LARGE <= QUICK.batch_bytes
    assert peaks.bytes <= QUICK.buffer_bytes + QUICK.fetch_bytes + MAX_RECORD_BYTES


def hashes(value: bytes | None) -> str:
    """Stand for a value in an assertion that may fail: nobody reads megabytes."""
    return hashlib.sha256(value or b"").hexdigest()
