"""A workspace is connected late and loses webhooks: after a reading and a resync, tables and answers are those of Intercom's truth."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.codec import Avro
from schemas.tenancy import App, Secret, Tenancy, Tenant, Workspace
from streams.agents.topology import agents_of
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.ops.backfill.objects import OBJECTS
from streams.ops.backfill.run import ReadingPlan, begin
from tests.patience import DEADLINE_S
from tests.streams.cli.installation import append_visibly
from tests.support.engines import QUICK, latest
from tests.support.intercom_bodies import APP, AT, contact, posted
from tests.support.oracle import routed
from tests.support.simulator.small_intercom import SmallIntercom

pytestmark = pytest.mark.asyncio

WORKSPACE = Workspace(app_id=APP, app="support", access_token=Secret("t"))
TENANCY = Tenancy.of([App(name="support", client_secrets=())], [Tenant(id="acme", workspaces=(WORKSPACE,))])
AVRO = Avro.local()
PEOPLE = 60


def webhooks(intercom: SmallIntercom, rng: random.Random) -> list[TopicRecord]:
    """Return posts of a third of the contacts, in disorder, some twice, some of a state before."""
    records: list[TopicRecord] = []
    for number, item in enumerate(rng.sample(intercom.contacts, len(intercom.contacts) // 3)):
        stale = number % 2
        body = posted(
            "contact.user.updated",
            contact(
                item["id"], name=f"old {item['id']}" if stale else item["name"], updated=(item["updated_at"] - stale * 60) * 1000
            ),
            number=number,
            at=AT,
        )
        records += [TopicRecord(topic, record.key, record.value, record.headers) for topic, record in routed(body)] * (
            1 + number % 3 // 2
        )
    rng.shuffle(records)
    return records


async def read_from(intercom: SmallIntercom, kafka: KafkaSettings, *, resync: bool = False) -> None:
    async with RestClient(WORKSPACE, ProcessBudget(time.monotonic), transport=httpx.MockTransport(intercom)) as client:
        done = await begin(kafka, AVRO, client, ReadingPlan(tenant="acme", objects=tuple(OBJECTS), resync=resync))
    assert done.result == "completed"


async def names(kafka: KafkaSettings) -> list[str]:
    values = (await latest(kafka, "people")).values()
    return sorted(AVRO.decode(value)[1]["name"] for value in values)


async def with_access(kafka: KafkaSettings) -> list[str]:
    """Return the teammates whom the staff directory does not know: check C1 fails for each who has access."""
    rows = [AVRO.decode(value)[1] for value in (await latest(kafka, "access.state")).values()]
    return sorted(row["account"] for row in rows if row["check"] == "C1" and row["result"] == "FAIL")


async def becomes(read: Callable[[KafkaSettings], Awaitable[list[str]]], kafka: KafkaSettings, expected: list[str]) -> None:
    """Wait until a topic's latest values are as expected."""
    deadline = time.monotonic() + DEADLINE_S
    while (found := await read(kafka)) != expected and time.monotonic() < deadline:  # noqa: ASYNC110  # Kafka sets no event
        await asyncio.sleep(0.2)
    assert found == expected


async def test_a_late_workspace_with_lost_webhooks_is_as_intercom_has_it(kafka: str, prefix: str):
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    agents = tuple(agents_of(TENANCY, AVRO))
    await topics.apply(settings, Naming(prefix=prefix).changelogs(agents))
    rng = random.Random(20261129)
    intercom = SmallIntercom(app_id=APP, contacts=PEOPLE, companies=9, teammates=4, page=7)
    posts = webhooks(intercom, rng)
    async with running(agents, kafka=settings, limits=QUICK):
        await append_visibly(settings, posts[: len(posts) // 2])
        reading = asyncio.create_task(read_from(intercom, settings))
        await append_visibly(settings, posts[len(posts) // 2 :])  # webhooks keep flowing
        await reading
        await becomes(names, settings, sorted(item["name"] for item in intercom.contacts))
        await becomes(with_access, settings, ["1", "2", "3", "4"])

        now = int(time.time())
        for item in rng.sample(intercom.contacts, 20):  # changes of which no webhook comes
            item |= {"name": f"changed {item['id']}", "updated_at": now}
        intercom.teammates = intercom.teammates[1:]
        await read_from(intercom, settings, resync=True)
        await becomes(names, settings, sorted(item["name"] for item in intercom.contacts))
        await becomes(with_access, settings, ["2", "3", "4"])
