"""Unequal partitions: one with nearly all records, one whose step is slow, one with huge records.

None starves another, and the records buffered in memory stay within their limits.
"""

import asyncio
import hashlib
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from connectors.kafka.settings import MAX_RECORD_BYTES, KafkaSettings
from schemas.message import header
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.partition.fetch_buffer import FetchBuffer, FetchedBatch
from streams.engine.partition.processor import CommitStats
from streams.engine.runner import Running, running
from tests.support.counting_agent import OUT, PARTITIONS, SOURCE, Numbers, create_topics, producing, read_all
from tests.support.engines import QUICK, until

pytestmark = pytest.mark.asyncio

HOT, OTHERS = 0, range(1, PARTITIONS)
TINY = 200_000
LARGE = 900_000


class Peaks:
    """The most that was ever queued in one buffer."""

    records = bytes = 0


@pytest.fixture
def peaks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peaks]:
    peaks, put = Peaks(), FetchBuffer.put

    def measured_put(buffer: FetchBuffer, fetched: FetchedBatch) -> None:
        put(buffer, fetched)
        peaks.records, peaks.bytes = max(peaks.records, buffer.records), max(peaks.bytes, buffer.bytes)

    monkeypatch.setattr(FetchBuffer, "put", measured_put)
    return peaks


async def fill(settings: KafkaSettings, partition: int, records: Sequence[tuple[bytes, bytes]]) -> None:
    """Write records to one partition as fast as possible."""
    async with producing(settings, max_batch_size=512 << 10, max_request_size=4 << 20) as producer:
        batch, acks = producer.create_batch(), []
        for key, value in records:
            if batch.append(key=key, value=value, timestamp=None) is None:
                acks.append(await producer.send_batch(batch, settings.topic(SOURCE), partition=partition))
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
        acks.append(await producer.send_batch(batch, settings.topic(SOURCE), partition=partition))
        await asyncio.gather(*acks)


def positions(work: Running) -> dict[int, int]:
    return {processor.partition: processor.positions.get(SOURCE, 0) for processor in work.engine.all_processors()}


def before_the_others_were_done(commits: list[CommitStats], done: int) -> int:
    """Count the hot partition's records that were committed before all others had done theirs."""
    remaining = dict.fromkeys(OTHERS, done)
    hot = 0
    for commit in commits:
        if commit.partition == HOT:
            hot += commit.records
        else:
            remaining[commit.partition] -= commit.records
        if not any(remaining.values()):
            return hot
    pytest.fail(f"not done: {remaining}")


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
    commits: list[CommitStats] = []
    async with running((agent,), kafka=settings, limits=QUICK, on_commit=commits.append) as work:
        await until(lambda: positions(work) == {HOT: TINY} | dict.fromkeys(OTHERS, 100), "all read")
        rows = {
            processor.partition: processor.view().get("hot") or processor.view().get(f"cold{processor.partition}")
            for processor in work.engine.all_processors()
        }
    assert rows == {HOT: TINY} | dict.fromkeys(OTHERS, 100)
    assert before_the_others_were_done(commits, 100) <= TINY // 10
    assert max(commit.records for commit in commits) == QUICK.batch_records
    assert peaks.records <= QUICK.batch_records * 2, "almost full, and one fetch more"


async def test_a_slow_partition_gets_small_batches_and_the_others_their_turns(settings: KafkaSettings) -> None:
    each, slow, quick = 0.004, 1_000, 5_000

    def step(batch: Batch, table: Table[int], out: Outbox) -> None:
        if batch.partition == HOT:
            time.sleep(each * len(batch.records))
        tally(batch, table, out)

    agent = Agent(name="slow", sources=(SOURCE,), step=step, codec=Numbers)
    await create_topics(settings, agent)
    await fill(settings, HOT, [(b"slow", b"x")] * slow)
    for partition in OTHERS:
        await fill(settings, partition, [(b"quick", b"x")] * quick)
    commits: list[CommitStats] = []
    async with running((agent,), kafka=settings, limits=QUICK, on_commit=commits.append) as work:
        await until(lambda: positions(work) == {HOT: slow} | dict.fromkeys(OTHERS, quick), "all read")
    first, *later = (commit.records for commit in commits if commit.partition == HOT)
    assert first <= 256
    assert max(later) <= QUICK.step_seconds / each
    assert before_the_others_were_done(commits, quick) < slow, "the quick ones were processed between the slow one's batches"


def noise(seed: int, size: int = LARGE) -> bytes:
    """Return bytes that cannot be compressed."""
    return random.Random(seed).randbytes(size)


class Bytes:
    """A table of bytes."""

    encode = decode = staticmethod(bytes)


def thrice(value: bytes) -> bytes:
    """Return three times as many bytes that cannot be compressed either."""
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
    commits: list[CommitStats] = []
    async with running((agent,), kafka=settings, limits=QUICK, on_commit=commits.append) as work:
        await until(lambda: positions(work).get(HOT) == len(good) + len(bad), "all read")
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(lambda: positions(work).get(HOT) == len(good) + len(bad), "restored")
        view = next(processor for processor in work.engine.all_processors() if processor.partition == HOT).view()
        assert {key: hashes(view.get(key.decode())) for key, _ in good} == {key: hashes(value) for key, value in good}
        assert view.get("poison") is view.get("thrice") is None
    assert [hashes(record.value) for record in await read_all(settings, OUT)] == [hashes(value) for _, value in good]
    letters = await read_all(settings, "dead.letters")
    assert {letter.key: hashes(letter.value) for letter in letters} == {key: hashes(value) for key, value in bad}
    assert "larger than a record may be" in (
        header(next(letter for letter in letters if letter.key == b"thrice").headers, "dl_reason") or ""
    )
    assert max(commit.records for commit in commits) * LARGE <= QUICK.batch_bytes
    assert peaks.bytes <= QUICK.buffer_bytes + QUICK.fetch_bytes + MAX_RECORD_BYTES


def hashes(value: bytes | None) -> str:
    """Return a digest to compare: a failed assertion would print megabytes."""
    return hashlib.sha256(value or b"").hexdigest()
