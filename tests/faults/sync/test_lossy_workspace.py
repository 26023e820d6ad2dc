"""A workspace that loses webhooks in every way: a short campaign each run; `scripts/faults --kind sync` runs long ones."""

import random
from pathlib import Path

import pytest

from connectors.local import temporary_stack
from tests.faults.sync.campaign import SyncCampaign
from tests.faults.sync.outages import SHORT

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]


async def test_after_a_resync_the_tables_are_what_intercom_has(prefix: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 16)
    print(f"repeat: scripts/faults --kind sync --seed {seed}")  # noqa: T201  # shown by pytest when the test fails
    with temporary_stack() as stack:
        await SyncCampaign(stack, prefix, tmp_path, seed, contacts=120, changes=80, outages=SHORT).run()
