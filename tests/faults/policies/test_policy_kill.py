"""A policy changed forth and back over people on a real broker, with a worker killed meanwhile. `scripts/faults` has 100,000 of them."""

from pathlib import Path

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from tests.faults.fleet import Fleet
from tests.faults.policies.campaign import PolicyCampaign
from tests.faults.test_worker_kill import workers  # noqa: F401  # a fixture

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]

PEOPLE = 400


async def test_a_policy_changed_forth_and_back_leaves_the_same_bytes_and_one_change_per_person_and_direction(
    kafka: str,
    prefix: str,
    tmp_path: Path,
    workers: Fleet,  # noqa: F811
) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    await topics.apply(settings)
    await PolicyCampaign(settings, workers, tmp_path / "intercom-streams.toml", PEOPLE).run()
