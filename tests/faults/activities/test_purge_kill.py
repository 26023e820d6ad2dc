"""A worker is killed in the middle of a purge, again and again: it ends, each detail goes once, and what is counted stays."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.activities.retention import POLICIES_TOPIC, RETENTION, RetentionMessage, RetentionPolicy
from streams.engine.naming import Naming
from tests.e2e.test_activity_retention import AVRO, DAY, PLANTED, conversation, reading, records_of, until_texts
from tests.faults.activities.purging_worker import AGENTS, PIECE
from tests.faults.fleet import Fleet
from tests.patience import DEADLINE_S
from tests.support.counting_agent import read_all
from tests.support.engines import latest

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]

TEXTS, EACH = 1_200, 20
DETAILS = TEXTS + TEXTS // EACH  # and how each conversation started
KILLS = (0.1, 0.3, 0.5)
"""Which share of the details is gone when the worker is killed."""


async def test_a_worker_that_is_killed_during_a_purge_takes_each_detail_once_and_loses_no_count(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    settings, now = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1), int(time.time())
    names = Naming(prefix=prefix)
    await topics.apply(settings, names.changelogs(AGENTS))
    workers = Fleet(["-m", "tests.faults.activities.purging_worker", kafka, prefix], tmp_path)
    try:
        workers.start()
        async with transactions(settings, "test") as producer, reading(settings, "activities") as ids:
            old = now - 10 * DAY
            numbers = range(TEXTS // EACH)
            posts = [conversation(100 + each, 1_000 + EACH * each, EACH, at=old) for each in numbers]
            await producer.append(records_of(*posts))
            await until_texts(settings, TEXTS)
            engagement = await _settled(settings)
            await _until(workers, lambda: len(ids) >= DETAILS)
            policy = RETENTION.encode(RetentionMessage(1, "shorter", now * 1000, "ada", RetentionPolicy(5)))
            await producer.append([TopicRecord(POLICIES_TOPIC, b"acme", policy, [])])
            for share in KILLS:
                await _until(workers, lambda share=share: len(ids) >= (1 + share) * DETAILS)
                workers.kill(0)
                assert len(ids) < 2 * DETAILS - PIECE, "the purge was over before the worker was killed"
                workers.start()
            await _until(workers, lambda: len(ids) >= 2 * DETAILS)
            assert await _settled(settings) == engagement
        assert len(ids) == len(set(ids)) == 2 * DETAILS
    finally:
        workers.close()
    gone = Counter(record.key for record in await read_all(settings, "activities") if record.value is None)
    assert set(gone.values()) == {1}
    changelogs = [names.changelog(name) for name in ("activities", "timelines")]
    for topic in ("activities", "activity.records", *changelogs):
        assert not [key for key, value in (await latest(settings, topic)).items() if PLANTED.search(value)], topic


async def _settled(settings: KafkaSettings) -> dict[str, bytes]:
    """Return the counts of all people, once they count every detail."""
    async with asyncio.timeout(DEADLINE_S):
        while _counted(found := await latest(settings, "people.engagement")) < TEXTS:  # noqa: ASYNC110  # Kafka sets no event
            await asyncio.sleep(0.2)
    return found


def _counted(engagement: dict[str, bytes]) -> int:
    values = [AVRO.decode(value)[1] for value in engagement.values()]
    return sum(value["types"]["conversation.contact_replied"]["count"] for value in values)


async def _until(workers: Fleet, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # a list grows as Kafka is read
            assert workers.exit_codes() == [], workers.log_tails()
            await asyncio.sleep(0.01)
