"""An installation on a real Kafka, and somebody at its command line."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from click.testing import CliRunner, Result

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from schemas import operations
from schemas.codec import Avro
from schemas.operations import Operation
from streams.cli.main import root
from tests.support.config import config_text
from tests.support.counting_agent import read_all

_NO_TENANTS: Mapping[str, Mapping[str, str]] = MappingProxyType({})


async def append_visibly(kafka: KafkaSettings, records: Sequence[TopicRecord]) -> None:
    """Append records in one transaction, and return once readers of committed records see them.

    A commit is answered before its markers are written. The next producer of the same id starts once they are.
    """
    async with transactions(kafka, "test") as producer:
        await producer.append(records)
    async with transactions(kafka, "test"):
        pass


class Installation:
    """Topics of a prefix of its own, a configuration file, and what a user types and reads."""

    def __init__(
        self, kafka: KafkaSettings, folder: Path, only: list[str], tenants: Mapping[str, Mapping[str, str]] = _NO_TENANTS
    ) -> None:
        self.kafka = kafka
        self.config = folder / "installation.toml"
        servers = {"bootstrap": kafka.bootstrap, "topic_prefix": kafka.topic_prefix}
        self.config.write_text(config_text(kafka=servers, apps={}, tenants=tenants))
        asyncio.run(topics.apply(kafka, only=only))

    def append(self, *records: TopicRecord) -> None:
        """Append records in one transaction, as a process of the installation does."""
        asyncio.run(self._append(records))

    async def _append(self, records: tuple[TopicRecord, ...]) -> None:
        await append_visibly(self.kafka, records)

    def types(self, *words: str) -> Result:
        return CliRunner().invoke(root, [*words, "--config", str(self.config)])

    def printed(self, *words: str) -> list[dict[str, Any]]:
        """Return what a command prints with `--json`."""
        result = self.types(*words, "--json")
        assert result.exit_code == 0, (result.output, result.exception)
        return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]

    def read(self, topic: str) -> list[Any]:
        """Return the committed records of a topic."""
        return asyncio.run(read_all(self.kafka, topic))

    def operations(self) -> list[Operation]:
        return [operations.decode(Avro.local(), record.value) for record in self.read("operations")]
