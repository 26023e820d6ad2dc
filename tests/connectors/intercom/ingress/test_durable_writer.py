"""Posts are persisted: in rounds, in time, and in the spool during an outage. A real spool, a publisher in memory."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from connectors.intercom.ingress import drainer as drainer_module
from connectors.intercom.ingress import durable_writer
from connectors.intercom.ingress.breaker import PUBLISH_TIMEOUT_S, Breaker
from connectors.intercom.ingress.drainer import Drainer
from connectors.intercom.ingress.durable_writer import CannotPersist, DurableWriter
from connectors.kafka.publisher import MemoryPublisher, OutboundRecord
from connectors.spool.spool import Spool
from tests.support.engines import until

pytestmark = pytest.mark.asyncio


def record(number: int, topic: str = "contacts") -> OutboundRecord:
    return OutboundRecord(topic, f"k{number}".encode(), b"v", [], number)


class Bench:
    """A writer and its parts, with the breaker closed."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.publisher = MemoryPublisher()
        self.breaker = Breaker()
        self.breaker.record_success(0)
        self.writer = DurableWriter(self.publisher, spool, self.breaker)
        self.drainer = Drainer(spool, self.publisher, self.breaker)

    async def write(self, *numbers: int) -> None:
        await asyncio.gather(*[self.writer.write([record(number)]) for number in numbers])

    async def spooled(self) -> list[int]:
        await self.spool.delete_acknowledged()
        return [each.timestamp for group in await self.spool.read(0, 1 << 30) for each in group.records]

    def in_kafka(self) -> list[int]:
        return [each.timestamp for each in self.publisher.records]


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    spool = Spool(tmp_path / "a.spool", max_bytes=1 << 20)
    await spool.open()
    bench = Bench(spool)
    yield bench
    bench.publisher.gate = None
    await bench.writer.close()
    await spool.close()


async def test_posts_that_come_together_leave_in_one_round_and_those_that_come_meanwhile_in_the_next(bench: Bench) -> None:
    bench.publisher.gate = asyncio.Event()
    posts = [bench.writer.write([record(number)]) for number in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    posts += [bench.writer.write([record(number)]) for number in range(3, 9)]
    bench.publisher.gate.set()
    await asyncio.gather(*posts)
    assert bench.in_kafka() == list(range(9))
    assert bench.publisher.rounds == 2
    assert await bench.spooled() == []


async def test_under_load_a_round_waits_for_more_posts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_writer, "_ROUND_INTERVAL_S", 0.1)
    bench.publisher.gate = asyncio.Event()
    first = bench.writer.write([record(0)])
    await asyncio.sleep(0)
    posts = [bench.writer.write([record(number)]) for number in range(1, 21)]
    bench.publisher.gate.set()
    await first
    posts += [bench.writer.write([record(number)]) for number in range(21, 26)]
    await asyncio.gather(*posts)
    assert bench.publisher.rounds == 2
    assert bench.in_kafka() == list(range(26))


async def test_a_round_that_is_large_waits_for_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_writer, "_ROUND_INTERVAL_S", 0.1)
    bench.publisher.gate = asyncio.Event()
    first = bench.writer.write([record(0)])
    await asyncio.sleep(0)
    posts = [bench.writer.write([record(number)]) for number in range(1, 200)]
    bench.publisher.gate.set()
    await first
    posts += [bench.writer.write([record(200)])]
    await asyncio.gather(*posts)
    assert bench.publisher.rounds == 3


async def test_posts_that_wait_for_more_go_to_the_spool_when_kafka_is_slow(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_writer, "_ROUND_INTERVAL_S", 60.0)
    bench.publisher.gate = asyncio.Event()
    first = bench.writer.write([record(0)])
    await asyncio.sleep(0)
    posts = [bench.writer.write([record(number)]) for number in range(1, 21)]
    bench.publisher.gate.set()
    await first
    await asyncio.gather(*posts)
    assert bench.in_kafka() == [0]
    assert await bench.spooled() == list(range(1, 21))
    bench.writer._round.cancel()


async def test_a_post_that_kafka_does_not_take_in_time_is_kept_in_the_spool_and_so_are_all_that_wait(bench: Bench) -> None:
    bench.publisher.gate = asyncio.Event()
    await bench.write(1, 2)
    assert bench.breaker.open
    assert await bench.spooled() == [1, 2]
    assert PUBLISH_TIMEOUT_S <= 0.25


async def test_while_the_breaker_is_open_posts_go_to_the_spool_at_once(bench: Bench) -> None:
    bench.breaker.record_failure()
    await bench.write(1)
    assert await bench.spooled() == [1]
    assert bench.publisher.rounds == 0


async def test_kafka_going_away_sends_the_round_to_the_spool(bench: Bench) -> None:
    bench.publisher.outage = "away"
    await bench.write(1, 2)
    assert await bench.spooled() == [1, 2]
    assert bench.breaker.open


async def test_a_missing_topic_sends_only_its_posts_to_the_spool_and_leaves_the_breaker_closed(bench: Bench) -> None:
    bench.publisher.missing_topics = {"articles"}
    await asyncio.gather(bench.writer.write([record(1)]), bench.writer.write([record(2, "articles")]))
    assert bench.in_kafka() == [1]
    assert await bench.spooled() == [2]
    assert not bench.breaker.open


async def test_of_a_post_with_twins_only_what_kafka_did_not_take_is_spooled(bench: Bench) -> None:
    bench.publisher.missing_topics = {"companies"}
    await bench.writer.write([record(1), record(2, "companies")])
    assert bench.in_kafka() == [1]
    assert await bench.spooled() == [2]


async def test_kafka_is_the_last_resort_of_a_post_that_the_spool_refuses(bench: Bench) -> None:
    bench.breaker.record_failure()
    bench.spool._max_bytes = 0
    await bench.write(1)
    assert bench.in_kafka() == [1]
    assert not bench.breaker.open, "a round that came back is proof that Kafka is back"


async def test_a_post_that_nobody_takes_is_refused_and_the_next_one_is_kept(bench: Bench) -> None:
    bench.publisher.outage, bench.spool._max_bytes = "away", 0
    with pytest.raises(CannotPersist):
        await bench.write(1)
    bench.publisher.outage = ""
    await bench.write(2)
    assert bench.in_kafka() == [2]


async def test_a_post_that_hangs_after_the_spool_refused_it_is_refused_before_intercom_gives_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert durable_writer._RETRY_TIMEOUT_S + PUBLISH_TIMEOUT_S < 5
    monkeypatch.setattr(durable_writer, "_RETRY_TIMEOUT_S", 0.05)
    bench.breaker.record_failure()
    bench.publisher.gate, bench.spool._max_bytes = asyncio.Event(), 0
    with pytest.raises(CannotPersist):
        await bench.write(1)


async def test_a_client_that_goes_away_takes_nobody_else_with_it(bench: Bench) -> None:
    bench.publisher.gate = asyncio.Event()
    cancelled, other = bench.writer.write([record(1)]), bench.writer.write([record(2)])
    cancelled.cancel()
    bench.publisher.gate.set()
    await other
    assert bench.in_kafka() == [1, 2]


async def test_closing_waits_for_what_was_given(bench: Bench) -> None:
    bench.publisher.gate = asyncio.Event()
    post = bench.writer.write([record(1)])
    closing = asyncio.create_task(bench.writer.close())
    await asyncio.sleep(0)
    bench.publisher.gate.set()
    await closing
    assert post.done()
    assert bench.in_kafka() == [1]


async def test_draining_empties_the_spool_into_kafka_and_closes_the_breaker(bench: Bench) -> None:
    bench.breaker.record_failure()
    await bench.write(*range(5))
    await bench.drainer.run(until_empty=True)
    assert sorted(bench.in_kafka()) == list(range(5))
    assert await bench.spooled() == []
    assert not bench.breaker.open


async def test_draining_passes_over_what_cannot_be_sent_now(bench: Bench) -> None:
    bench.breaker.record_failure()
    await bench.writer.write([record(1, "articles"), record(2)])
    await bench.writer.write([record(3)])
    bench.publisher.missing_topics = {"articles"}
    assert not await bench.drainer.sweep()
    assert bench.in_kafka() == [2, 3]
    assert await bench.spooled() == [1]
    bench.publisher.missing_topics = set()
    assert await bench.drainer.sweep()
    assert bench.in_kafka() == [2, 3, 1]


async def test_draining_sets_aside_what_kafka_will_never_take_and_goes_on(bench: Bench) -> None:
    bench.breaker.record_failure()
    await bench.write(1, 2, 3)
    bench.publisher.rejected_keys = {b"k2"}
    await bench.drainer.run(until_empty=True)
    assert sorted(bench.in_kafka()) == [1, 3]
    assert (bench.spool.aside, bench.spool.bytes) == (1, 0)


async def test_draining_forgets_nothing_while_kafka_is_away(bench: Bench) -> None:
    bench.breaker.record_failure()
    await bench.write(1, 2)
    bench.publisher.outage = "away"
    assert not await bench.drainer.sweep()
    assert await bench.spooled() == [1, 2]
    assert bench.breaker.open


async def test_an_ingress_told_to_always_spool_does_so_although_kafka_is_quick() -> None:
    breaker = Breaker(always_open=True)
    breaker.record_success(0)
    assert breaker.open


async def test_the_breaker_tells_when_it_opens_and_only_a_quick_round_closes_it() -> None:
    trips: list[int] = []
    breaker = Breaker(on_trip=lambda: trips.append(1))
    breaker.record_success(PUBLISH_TIMEOUT_S * 2)
    assert breaker.open
    breaker.record_success(PUBLISH_TIMEOUT_S)
    breaker.record_failure()
    breaker.record_failure()
    assert (breaker.open, len(trips)) == (True, 1)


async def test_what_was_drained_leaves_the_spools_file_once_an_hour(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    wipes: list[float] = []
    wipe = bench.spool.wipe

    async def counted() -> None:
        wipes.append(asyncio.get_running_loop().time())
        await wipe()

    monkeypatch.setattr(bench.spool, "wipe", counted)
    monkeypatch.setattr(drainer_module, "_IDLE_S", 0.001)
    draining = asyncio.create_task(bench.drainer.run())
    await until(lambda: len(wipes) == 1, "the wipe of what the process before may have left")
    bench.breaker.record_failure()
    await bench.write(1)
    await until(lambda: bench.spool.bytes == 0 and bench.in_kafka() == [1], "the post is drained")
    await asyncio.sleep(0.02)
    assert len(wipes) == 1, "an hour has not passed"
    monkeypatch.setattr(drainer_module, "_WIPE_EVERY_S", 0.0)
    await until(lambda: len(wipes) == 2, "the wipe of what was drained since")
    await asyncio.sleep(0.02)
    assert len(wipes) == 2, "nothing was drained since"
    draining.cancel()
