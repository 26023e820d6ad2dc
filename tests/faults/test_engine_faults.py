"""The engine under kills, zombies, and workers that come and go: a short campaign each run; `scripts/faults` runs long ones."""

import random
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from connectors.local import temporary_stack
from tests.faults.campaign import BROKERS, Campaign
from tests.faults.disturbances import KINDS
from tests.support.counting_agent import PARTITIONS

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]


async def test_workers_killed_frozen_joining_and_leaving_count_every_event_once(kafka: str, prefix: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"repeat: scripts/faults --seed {seed} --kind workers")  # noqa: T201  # shown by pytest when the test fails
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS)
    await Campaign(settings, tmp_path, kind=KINDS["workers"], seed=seed).run(6)


async def test_brokers_killed_restarted_and_frozen_count_every_event_once(prefix: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"repeat: scripts/faults --seed {seed} --kind brokers")  # noqa: T201  # shown by pytest when the test fails
    with temporary_stack(brokers=3, settings=BROKERS) as stack:
        settings = KafkaSettings(
            bootstrap=stack.addresses.kafka, topic_prefix=prefix, partitions=PARTITIONS, replication=3, min_insync=2
        )
        await Campaign(settings, tmp_path, kind=KINDS["brokers"], seed=seed, stack=stack).run(4)
