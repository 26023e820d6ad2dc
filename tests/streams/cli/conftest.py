"""An operator for the tests of verbs that write to the log."""

import asyncio
import secrets
from pathlib import Path

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from tests.streams.cli.operator import Operator


@pytest.fixture(scope="module")
def cluster(kafka: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=f"t{secrets.token_hex(4)}.", partitions=1)
    asyncio.run(topics.apply(settings))
    return settings


@pytest.fixture
def operator(tmp_path: Path, cluster: KafkaSettings) -> Operator:
    return Operator(tmp_path, cluster)
