"""A rebuild on a real Kafka brings no details of activities back that have expired, though the log still has them."""

from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from streams.agents.activities.retention import DAY_ROW
from tests.streams.ops.rebuild.installed import installed, job_of, rebuilt, worker
from tests.support.activities.world import World
from tests.support.counting_agent import read_all
from tests.support.engines import until
from tests.support.oracle import routed


@pytest.mark.asyncio
@pytest.mark.parametrize("partitions", [2, 3])
async def test_what_has_expired_is_no_difference_and_is_not_published(
    kafka: str, prefix: str, tmp_path: Path, partitions: int
) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    posts = [TopicRecord(topic, each.key, body, each.headers) for body in World(3).history(40) for topic, each in routed(body)]
    async with worker(installed(settings, tmp_path)) as working, transactions(settings, "ingress") as ingress:
        await until(lambda: working.caught_up and DAY_ROW.decode() in working.rows("activities"), "the day has come")
        await ingress.append(posts)
        await until(lambda: working.caught_up and len(working.rows("timelines")) > 3, "all is processed")
        await until(lambda: working.caught_up and _marks(working.rows("activities")), "details have expired")
        outcome = await rebuilt(job_of(settings), "contacts", swap=True, partitions=partitions)
    assert [(each.agent, each.differences) for each in outcome.tables if not each.same] == []
    assert (outcome.published, outcome.entry.result) == (0, "swapped")
    assert not [record.key for record in await read_all(settings, "activities") if record.value is not None]


def _marks(rows: dict[str, bytes]) -> int:
    return sum("|s|" in key for key in rows)
