"""How long a replay would take, as a dry run says it, on a real broker."""

from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from tests.streams.cli.installation import Installation
from tests.streams.cli.verbs.test_replay import post

CONTACTS = "intercom.contacts"


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path) -> Installation:
    return Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1), tmp_path, [CONTACTS, "operations"])


def test_a_dry_run_says_how_long_it_would_take_at_the_pace_that_it_would_keep(installation: Installation):
    installation.append(*(post(number) for number in range(40_000, 48_000)))
    beside = installation.printed("replay", CONTACTS, "--reprocess", "--dry-run")[0]["seconds"]
    slow = installation.printed("replay", CONTACTS, "--reprocess", "--dry-run", "--rate", "4")[0]["seconds"]
    none = installation.printed("replay", CONTACTS, "--reprocess", "--dry-run", "--rate", "4", "--key", "nobody")[0]["seconds"]
    assert slow == 2_000
    assert 20 <= beside < slow
    assert none < slow
    assert "would take about 2,000 s" in installation.types("replay", CONTACTS, "--reprocess", "--dry-run", "--rate", "4").output
    hurried = installation.types("replay", CONTACTS, "--reprocess", "--dry-run", "--rate", "4", "--max-lag", "2000")
    assert "would take at least 2,000 s" in hurried.output
