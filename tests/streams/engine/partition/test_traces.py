"""Which records of a transaction belong to traces: those whose trace is sampled, and none is looked at where nobody asks."""

import msgspec
import pytest

from connectors.observability.tracing import SampledRecord
from streams.engine.partition.fetch_buffer import FetchedBatch
from tests.streams.engine.partition.test_processor import at_work, fetched, quiet
from tests.support.counting_agent import SOURCE

pytestmark = pytest.mark.asyncio

PARENT = f"00-{'1' * 32}-{'2' * 16}-"


def with_traces(*parents: str | None) -> FetchedBatch:
    batch = fetched(0, len(parents))
    records = [
        record._replace(headers=() if parent is None else (("ce_id", b"e"), ("traceparent", parent.encode())))
        for record, parent in zip(batch.records, parents, strict=True)
    ]
    return msgspec.structs.replace(batch, records=records)


async def test_records_of_sampled_traces_are_reported_once_they_are_committed() -> None:
    async with at_work({SOURCE: 0}) as (processor, _, host):
        host.traces = True
        processor.offer(with_traces(None, f"{PARENT}01", f"{PARENT}00", "nonsense"))
        await quiet()
        (stats,) = host.stats
        assert stats.traced == (SampledRecord(SOURCE, 1, "e", f"{PARENT}01"),)


async def test_no_trace_is_looked_at_where_nobody_asks() -> None:
    async with at_work({SOURCE: 0}) as (processor, _, host):
        processor.offer(with_traces(f"{PARENT}01"))
        await quiet()
        assert host.stats[0].traced == ()
