"""A user of the command line, with a tenant of their own on a real Kafka."""

import asyncio
import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from connectors.kafka.fact_log import find_facts
from connectors.kafka.settings import KafkaSettings
from schemas.access import fact_records, facts
from schemas.access.fact_kinds import KINDS
from schemas.access.facts import Fact
from streams.cli.main import root
from tests.support.company import AVRO
from tests.support.config import config_text, write_config


class Operator:
    """A user of the command line who can also read the log."""

    def __init__(self, folder: Path, kafka: KafkaSettings) -> None:
        self.folder = folder
        self.kafka = kafka
        self.tenant = f"acme{secrets.token_hex(4)}"  # tests share the topics, and each has a tenant of its own
        text = config_text(
            kafka={"bootstrap": kafka.bootstrap, "topic_prefix": kafka.topic_prefix, "partitions": kafka.partitions},
            apps={"support": ("${NOT_SET_IN_THIS_SHELL}",)},
            tenants={self.tenant: {"abc12345": "support"}, "other": {}},
        )
        self.config = write_config(folder, text)

    def file(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="utf-8")
        return str(self.folder / name)

    def types(self, *words: str) -> Result:
        return CliRunner().invoke(root, [*words, "--config", str(self.config)])

    def printed(self, *words: str) -> Any:
        result = self.types(*words, "--json")
        assert result.exception is None, result.exception
        return json.loads(result.stdout)

    def log(self, tenant: str | None = None) -> Sequence[Fact]:
        values = asyncio.run(find_facts(self.kafka, tenant or self.tenant, {facts.type_of(kind) for kind in KINDS}))
        return [fact_records.decode(AVRO, value) for value in values]
