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
from schemas.codec import Avro
from schemas.intercom.routes import OTHER, route_of
from streams.agents.topology import agents_of
from streams.core.activities.rules import NoActivity
from streams.core.activities.table import rule_of
from streams.engine.naming import Naming
from streams.engine.runner import running
from tests.patience import DEADLINE_S
from tests.support.activities.documented import DOCUMENTED, LEGACY
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK, latest
from tests.support.posts import TENANCY, notification, signed

AVRO = Avro.local()
AT = 1_772_090_548
ALL = [*DOCUMENTED, *LEGACY, "call.held", "conversation.admin.waved", "content_stat.hologram"]


def item_of(topic: str, number: int) -> dict[str, object]:
    """Return an object of the topic about a contact, a conversation and so on of its own."""
    family = topic.partition(".")[0]
    contact = {"type": "contact", "id": f"c{number}", "role": "user", "created_at": AT, "updated_at": AT}
    if family in {"conversation", "conversation_part", "ticket"}:
        return conversation_of(topic, number, contact)
    if topic == "contact.merged":
        return {**contact, "merged_from": {"type": "contact", "id": f"old{number}"}}
    if ".tag." in topic or family in {"granular", "content_stat"} or "subscribed" in topic:
        return {"contact": contact, "tag": {"id": "t1"}, "subscription_types": {"data": []}, "content_stat": {"id": number}}
    if topic.startswith("company.contact"):
        return {"company": {"id": f"o{number}", "updated_at": AT}, "contact": contact}
    if family in {"call", "event"}:
        return {"id": f"{family}{number}", "contact_id": f"c{number}", "event_name": "paid", "created_at": AT}
    return contact


def conversation_of(topic: str, number: int, contact: dict[str, object]) -> dict[str, object]:
    if topic.endswith(".deleted"):
        return {"type": "conversation", "conversation_id": str(number)}
    if ".contact." in topic and topic.endswith("tached"):
        return {"conversation": {"model": {"id": number}, "parts": []}, "contact": {"id": "c0"}}
    whole: dict[str, object] = {
        "id": str(number), "updated_at": AT, "created_at": AT, "contacts": {"contacts": [contact]},
        "conversation_rating": {"rating": 5, "created_at": AT} if "rating" in topic else None,
    }  # fmt: skip
    if topic.endswith("translated") or topic == "conversation_part.redacted":
        whole["conversation_parts"] = {"conversation_parts": []}
    return {"ticket": whole} if topic == "ticket.closed" else whole


@pytest.mark.asyncio
async def test_each_documented_topic_is_found_as_an_activity_or_where_its_reason_says(kafka: str, prefix: str, tmp_path: Path):
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    agents = agents_of(TENANCY, AVRO)
    await topics.apply(settings, Naming(prefix=prefix).changelogs(agents))
    bodies = []
    for number, topic in enumerate(ALL, 1000):
        if topic.partition(".")[0] in {
            "conversation",
            "conversation_part",
            "ticket",
        }:  # who takes part, before what happens in it
            first = conversation_of("conversation.user.created", number, {"type": "contact", "id": f"c{number}"})
            bodies.append(notification(number + 5000, "conversation.user.created", item=first))
        bodies.append(notification(number, topic, item=item_of(topic, number), created_at=AT + 1))
    config = IngressConfig(host="127.0.0.1", port=0, tenancy=TENANCY, kafka=settings, spool=tmp_path)
    process = IngressProcess(config, 0)
    expected = {f"notif_{number}" for number, topic in enumerate(ALL, 1000) if not isinstance(rule_of(topic), NoActivity)}
    async with process.running() as app, running(agents, kafka=settings, limits=QUICK):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingress") as client:
            answers = await asyncio.gather(*(client.post(WEBHOOK_PATH, content=body, headers=signed(body)) for body in bodies))
        assert {answer.status_code for answer in answers} == {200}
        async with asyncio.timeout(DEADLINE_S):
            while (missing := expected - await found(settings)) and missing:  # Kafka sets no event
                await asyncio.sleep(0.5)
    assert await read_all(settings, "dead.letters") == []
    others = {dict(record.headers)["ce_id"].decode() for record in await read_all(settings, OTHER)}
    assert others == {f"notif_{number}" for number, topic in enumerate(ALL, 1000) if route_of(topic) is None}


async def found(settings: KafkaSettings) -> set[str]:
    return {AVRO.decode(value)[1]["event"] for value in (await latest(settings, "activities")).values()}
