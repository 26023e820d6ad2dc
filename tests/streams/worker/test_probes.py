"""What a worker's probes report about its partitions, in metrics and in /ready."""

import httpx
import msgspec
import pytest

from connectors.kafka.settings import KafkaSettings
from streams.engine.engine import Engine
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import CommitStats, PartitionProcessor, PartitionStatus
from streams.engine.tables.commit_state import CommitState
from streams.worker.probes import Probes
from tests.support.counting_agent import SOURCE, counting

pytestmark = pytest.mark.asyncio


async def engine_with(commit_state: CommitState, ends: dict[str, int]) -> Engine:
    """Return an engine with one partition in this state; it is connected to nothing."""
    engine = Engine((), kafka=KafkaSettings(), names=Naming(), limits=Limits())
    processor = PartitionProcessor(counting(), 3, limits=Limits(), host=engine._processor_host)
    processor.commit_state, processor.ends, processor.status = commit_state, ends, PartitionStatus.LIVE
    engine.all_processors = lambda: [processor]
    engine.ready.set()
    return engine


async def get(probes: Probes, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(probes.application()), base_url="http://worker") as client:
        return await client.get(path)


async def test_work_that_is_left_over_is_shown_although_nothing_is_left_to_read() -> None:
    probes = Probes("")
    probes.watch(await engine_with(CommitState({SOURCE: 7}, (b"a", b"b")), {SOURCE: 7}))
    probes.committed(CommitStats("count", 3, records=0, dead=0, seconds=0.1))
    row = msgspec.json.decode((await get(probes, "/ready")).content)["partitions"][0]
    assert (row["partition"], row["lag"], row["pending_work"]) == (3, 0, 2)
    page = (await get(probes, "/metrics")).text
    assert 'intercom_streams_partition_pending_work{agent="count",partition="3"} 2.0' in page
    assert 'intercom_streams_continued_total{agent="count"} 1.0' in page


async def test_a_worker_that_has_no_partitions_yet_says_what_it_waits_for() -> None:
    response = await get(Probes(""), "/ready")
    assert response.status_code == 503
    assert "waiting for Kafka" in response.text
