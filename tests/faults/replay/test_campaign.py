"""The short form of the campaign of two replays beside live traffic."""

import random
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from tests.faults.replay.campaign import SHORT, ReplayCampaign


@pytest.mark.asyncio
async def test_two_replays_that_are_killed_beside_live_traffic_change_nothing(kafka: str, prefix: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # shown by pytest when the test fails
    figures = await ReplayCampaign(KafkaSettings(bootstrap=kafka, topic_prefix=prefix), tmp_path, seed, SHORT).run()
    assert figures.replayed >= 2 * SHORT.events
    assert figures.left_out >= SHORT.events
    assert len(figures.quiet_ms) == len(figures.busy_ms) == 2 * SHORT.kills
