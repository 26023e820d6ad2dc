"""Every topic that Intercom documents, posted signed, is an activity for a plain reader of Kafka, or is where its reason says."""

import asyncio
from pathlib import Path

import httpx
import pytest

from connectors.intercom.ingress.app import IngressProcess
from connectors.intercom.ingress.config import IngressConfig
from connectors.intercom.ingress.endpoint import WEBHOOK_PATH
from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.activities.retention import UNLIMITED, RetentionPolicy
from schemas.codec import Avro
from schemas.intercom.routes import OTHER, route_of
from schemas.versioned import ENCODING
from streams.agents.topology import agents_of
from streams.core.activities.rules import NoActivity
from streams.core.activities.table import rule_of
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.ops.activities.policy import RetentionRequest, change_policy
from tests.patience import DEADLINE_S
from tests.support.activities.documented import ALL, FIRST, bodies
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK, latest
from tests.support.posts import TENANCY, signed

AVRO = Avro.local()


@pytest.mark.asyncio
async def test_each_documented_topic_is_found_as_an_activity_or_where_its_reason_says(kafka: str, prefix: str, tmp_path: Path):
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    agents = agents_of(TENANCY, AVRO)
    await topics.apply(settings, Naming(prefix=prefix).changelogs(agents))
    for tenant in TENANCY.tenants:  # what is posted is older than details are kept else
        request = RetentionRequest(tenant, "ada", 1, ENCODING)
        await change_policy(settings, AVRO, lambda _: RetentionPolicy(UNLIMITED), request)
    posts = bodies()
    config = IngressConfig(host="127.0.0.1", port=0, tenancy=TENANCY, kafka=settings, spool=tmp_path)
    process = IngressProcess(config, 0)
    expected = {f"notif_{number}" for number, topic in enumerate(ALL, FIRST) if not isinstance(rule_of(topic), NoActivity)}
    async with process.running() as app, running(agents, kafka=settings, limits=QUICK):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingress") as client:
            answers = await asyncio.gather(*(client.post(WEBHOOK_PATH, content=body, headers=signed(body)) for body in posts))
        assert {answer.status_code for answer in answers} == {200}
        async with asyncio.timeout(DEADLINE_S):
            while (missing := expected - await found(settings)) and missing:  # noqa: ASYNC110  # Kafka sets no event
                await asyncio.sleep(0.5)
    assert await read_all(settings, "dead.letters") == []
    others = {dict(record.headers)["ce_id"].decode() for record in await read_all(settings, OTHER)}
    assert others == {f"notif_{number}" for number, topic in enumerate(ALL, FIRST) if route_of(topic) is None}


async def found(settings: KafkaSettings) -> set[str]:
    return {AVRO.decode(value)[1]["event"] for value in (await latest(settings, "activities")).values()}
