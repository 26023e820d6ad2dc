"""Which processors count as busy: by their number the time for steps is shared."""

import pytest

from tests.streams.engine.partition.test_processor import at_work, fetched, quiet
from tests.support.counting_agent import SOURCE

pytestmark = pytest.mark.asyncio


async def test_a_partition_is_busy_while_a_record_waits_or_a_transaction_runs() -> None:
    async with at_work({SOURCE: 0}) as (processor, producer, _):
        assert not processor.busy
        producer.may_commit.clear()
        processor.offer(fetched(0, 3))
        assert processor.busy, "a record waits"
        await quiet()
        assert processor.busy, "its transaction runs"
        producer.may_commit.set()
        await quiet()
        assert not processor.busy


async def test_only_the_busy_ones_of_a_worker_share_the_time_for_steps() -> None:
    async with at_work({SOURCE: 0}) as (one, _, _), at_work({SOURCE: 0}) as (other, _, _):
        one.siblings = other.siblings = [one, other]
        assert one.busy_siblings == 1
        other.offer(fetched(0, 3))
        assert one.busy_siblings == 1
        one.offer(fetched(0, 3))
        assert one.busy_siblings == other.busy_siblings == 2
