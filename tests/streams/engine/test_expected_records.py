"""What one agent commits for another of its worker is expected there, until it has come."""

import time

import pytest

from connectors.kafka.settings import KafkaSettings
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.partition.processor import PartitionProcessor
from tests.support.counting_agent import SECOND, SOURCE, Numbers, counting, create_topics
from tests.support.engines import KEYS, QUICK, RunEngine, caught_up, processed, send, until

pytestmark = pytest.mark.asyncio


async def test_the_partition_that_reads_it_expects_what_another_agent_has_committed(
    settings: KafkaSettings, running: RunEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(batch: Batch, table: Table[int], out: Outbox) -> None:
        for record in batch.records:
            out.send(SECOND, record.key, record.value)

    first = Agent(name="first", sources=(SOURCE,), step=step, codec=Numbers)
    second = counting(sources=(SECOND,), name="second")
    expected: dict[tuple[str, str, int], int] = {}
    expect = PartitionProcessor.expect

    def recorded(self: PartitionProcessor, topic: str, position: int) -> None:
        expect(self, topic, position)
        expected[self.agent.name, topic, self.partition] = position

    monkeypatch.setattr(PartitionProcessor, "expect", recorded)
    await create_topics(settings, first, second)
    async with running((first, second), kafka=settings, limits=QUICK) as work:
        await send(settings, KEYS)
        await until(lambda: processed(work, SECOND) >= len(KEYS) and caught_up(work), "what follows is processed")
        reached = {
            (each.agent.name, topic, each.partition): position
            for each in work.engine.all_processors()
            for topic, position in each.positions.items()
        }
        assert {(name, topic) for name, topic, _ in expected} == {("second", SECOND)}
        assert all(0 < position <= reached[place] for place, position in expected.items())
        assert not any(each.is_expecting(time.perf_counter()) for each in work.engine.all_processors())
