"""`profiles withdraw` on a real broker: recorded, in every partition, and carried out by workers between new records."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.codec import Avro
from schemas.operations import decode
from streams.agents.foreign.agent import org_records, person_records
from streams.agents.identity.agent import identity
from streams.agents.people import people
from streams.cli.main import root
from streams.engine.naming import Naming
from streams.engine.runner import running
from tests.patience import DEADLINE_S
from tests.support.config import config_text, write_config
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK
from tests.support.identity.foreign_records import foreign
from tests.support.tenancy import WITH_SOURCES

AVRO = Avro.local()
RECORDS = 40


def withdraw(folder: Path, settings: KafkaSettings, source: str) -> Result:
    servers = {"bootstrap": settings.bootstrap, "topic_prefix": settings.topic_prefix}
    text = config_text(kafka=servers, tenants={"acme": {"abc12345": "support"}})
    config = write_config(folder, f'{text}[[tenants.sources]]\nname = "crm"\n')
    return CliRunner().invoke(root, ["--config", str(config), "profiles", "withdraw", source, "--reason", "contract ended"])


async def published(settings: KafkaSettings) -> list[str]:
    last = {record.key: record.value for record in await read_all(settings, "people")}
    return sorted(AVRO.decode(value)[1]["name"] for value in last.values() if value)


async def until_published(settings: KafkaSettings, expected: list[str]) -> None:
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while (found := await published(settings)) != expected and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    assert found == expected


@pytest.mark.asyncio
async def test_a_source_is_withdrawn_in_every_partition_and_comes_back_when_it_sends_again(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    agents = (person_records(WITH_SOURCES, AVRO), org_records(WITH_SOURCES, AVRO), identity(), people(WITH_SOURCES, AVRO))
    await topics.apply(settings, Naming(prefix=prefix).changelogs(agents))
    records = [foreign(str(at), fields={"name": f"N{at:02}"}) for at in range(RECORDS)]
    sent = [TopicRecord("person.records", record.key, record.value, record.headers) for record in records]
    everybody = [f"N{at:02}" for at in range(RECORDS)]
    async with transactions(settings, "crm") as crm, running(agents, kafka=settings, limits=QUICK):
        await crm.append(sent)
        await until_published(settings, everybody)
        done = await asyncio.to_thread(withdraw, tmp_path, settings, "crm")
        assert done.exit_code == 0, done.output
        assert "crm of acme is withdrawn" in done.output
        await until_published(settings, [])
        await crm.append(sent[:3])
        await until_published(settings, everybody[:3])
    marks = [
        record for topic in ("person.records", "org.records") for record in await read_all(settings, topic) if not record.key
    ]
    assert len(marks) == 2 * settings.partitions
    (operation,) = [decode(AVRO, record.value) for record in await read_all(settings, "operations")]
    assert (operation.kind, operation.reason) == ("source.withdrawn", "contract ended")
    assert operation.details == {"source": "crm", "tenant": "acme"}
    assert await read_all(settings, "dead.letters") == []


def test_a_source_that_is_not_configured_is_refused_with_those_that_are(kafka: str, prefix: str, tmp_path: Path) -> None:
    done = withdraw(tmp_path, KafkaSettings(bootstrap=kafka, topic_prefix=prefix), "crn")
    assert done.exit_code != 0
    assert "known: crm" in f"{done.output}{done.exception}"
