"""A company on a real Kafka, with a worker's access agent: what operators decide about."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.access.facts import Fact
from streams.agents.access import access
from streams.cli.decisions.log import DecisionLog
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.settings import KAFKA_ONLY, load
from tests.streams.cli.operator import Operator
from tests.support.company import AVRO, DAY, T0, admin, everyone, policy, staff
from tests.support.engines import QUICK

APP = "abc12345"


@asynccontextmanager
async def at_work(cluster: KafkaSettings) -> AsyncIterator[None]:
    await topics.apply(cluster, Naming(prefix=cluster.topic_prefix).changelogs((access(AVRO),)))
    async with running((access(AVRO),), kafka=cluster, limits=QUICK):
        yield


async def happened(operator: Operator, *facts: Fact) -> None:
    """Append facts, and wait until the worker has come to them."""
    log = await DecisionLog.open(load(str(operator.config), parts=KAFKA_ONLY), operator.tenant)
    await log.decide(own(operator, *facts))


def own(operator: Operator, *facts: Fact) -> list[Fact]:
    return [msgspec.structs.replace(fact, tenant=operator.tenant, id=f"{operator.tenant} {fact.id}") for fact in facts]


def company() -> list[Fact]:
    """Somebody who left and is still a teammate, and an account that nobody knows."""
    return [
        msgspec.structs.replace(fact, app_id=APP) if fact.app_id else fact
        for fact in (
            policy(everyone(APP)),
            staff("77", "jo@acme.example", ends=T0 + DAY, name="Jo"),
            staff("88", "al@acme.example", name="Al"),
            staff("j", "jo@acme.example", source="idp"),
            admin("admin.added", "7", "jo@acme.example", name="Jo L", role="Admin"),
            admin("admin.added", "8", "box@acme.example", role="Agent"),
            admin("admin.added", "9", "al+x@acme.example"),
        )
    ]
