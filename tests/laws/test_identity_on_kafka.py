"""People and organisations of several records on a real broker: shuffled, repeated events of contacts, companies and other systems, and
killed workers, leave the bytes that one pass in order leaves. `scripts/faults --kind runs` has the long form, with both runs on Kafka.
"""

import random
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from tests.support.identity import two_runs
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.identity.mixed_history import Sent, mixed_history, shuffled
from tests.support.tenancy import WITH_SOURCES

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]

EVENTS, CONTACTS, WORKERS, KILLS = 2_500, 100, 3, 2


def in_order(history: list[Sent], seed: int) -> two_runs.Latest:
    pipeline = LaggingPipeline(WITH_SOURCES, random.Random(seed))
    for record in history:
        pipeline.receive(record)
    pipeline.run()
    return {topic: pipeline.latest(topic) for topic in two_runs.LATEST}


async def test_people_and_organisations_that_join_move_and_part_while_workers_are_killed_end_as_the_same_bytes(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"repeat with seed {seed}")  # noqa: T201  # shown by pytest when the test fails
    chance = random.Random(seed)
    history = mixed_history(seed, EVENTS, CONTACTS)
    expected = in_order(history, seed)
    assert len(expected["people.aliases"]) > CONTACTS // 10  # many are one person with others
    assert expected["orgs.aliases"]
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    running = await two_runs.run(settings, tmp_path, shuffled(history, chance), chance, workers=WORKERS, kills=KILLS)
    try:
        await two_runs.until_equal(settings, expected, running, seconds=240)
        await two_runs.no_event_twice(settings)
    finally:
        running.close()
