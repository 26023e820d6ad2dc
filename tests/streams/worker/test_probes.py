"""What a worker's probes say of its partitions, to those who scrape and to those who look."""

import httpx
import msgspec
import pytest

from connectors.kafka.settings import KafkaSettings
from streams.engine.engine import CommitStats, Engine
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionProcessor, PartitionStatus
from streams.engine.tables.commit_state import CommitState
from streams.worker.probes import Probes
from tests.support.counting_agent import SOURCE, counting

pytestmark = pytest.mark.asyncio


async def engine_with(standing: CommitState, ends: dict[str, int]) -> Engine:
    """Return an engine with one partition that stands there; it is connected to nothing."""
    engine = Engine((), kafka=KafkaSettings(), names=Naming(), limits=Limits())
    lane = PartitionProcessor(counting(), 3, names=Naming(), limits=Limits(), outside=engine)
    lane.commit_state, lane.ends, lane.status = standing, ends, PartitionStatus.LIVE
    engine.all_processors = lambda: [lane]
    engine.ready.set()
    return engine


async def seen(probes: Probes, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(probes.application()), base_url="http://worker") as client:
        return await client.get(path)


async def test_work_that_is_left_over_is_shown_although_nothing_is_left_to_read() -> None:
    probes = Probes("")
    probes.watch(await engine_with(CommitState({SOURCE: 7}, (b"a", b"b")), {SOURCE: 7}))
    probes.committed(CommitStats("count", 3, records=0, dead=0, seconds=0.1))
    row = msgspec.json.decode((await seen(probes, "/ready")).content)["partitions"][0]
    assert (row["partition"], row["lag"], row["left_over"]) == (3, 0, 2)
    page = (await seen(probes, "/metrics")).text
    assert 'intercom_streams_lane_left_over{agent="count",partition="3"} 2.0' in page
    assert 'intercom_streams_continued_total{agent="count"} 1.0' in page


async def test_a_worker_that_has_no_partitions_yet_says_what_it_waits_for() -> None:
    answer = await seen(Probes(""), "/ready")
    assert answer.status_code == 503
    assert "waiting for Kafka" in answer.text
