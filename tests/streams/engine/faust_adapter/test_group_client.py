"""The consumer's client: brokers have 10 s to answer, the group's coordinator as long as its members may take."""

from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.api import Request

from connectors.kafka.settings import KafkaSettings
from streams.engine.faust_adapter.group_client import GroupClient
from streams.engine.runner import running
from tests.support.counting_agent import counting, create_topics
from tests.support.engines import QUICK, until

pytestmark = pytest.mark.asyncio


async def test_only_an_answer_that_waits_for_the_members_may_take_as_long_as_a_rebalance(
    settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: dict[str, set[float]] = {}
    send = AIOKafkaConnection.send

    def seen(connection: AIOKafkaConnection, request: Any, **options: Any) -> Any:
        if isinstance(request, Request):
            limits.setdefault(type(request).__name__, set()).add(connection._request_timeout)
        return send(connection, request, **options)

    agent = counting()
    await create_topics(settings, agent)
    monkeypatch.setattr(AIOKafkaConnection, "send", seen)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(lambda: work.engine.ready.is_set() and "HeartbeatRequest" in limits, "ready")
    assert limits["JoinGroupRequest"] == limits["SyncGroupRequest"] == {40}
    assert limits["HeartbeatRequest"] == limits["SessionFetchRequest"] == {10}


async def test_the_engines_consumer_fetches_with_it(settings: KafkaSettings) -> None:
    agent = counting()
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "ready")
        consumer = work.app.consumer._thread._consumer
        assert isinstance(consumer._client, GroupClient)
        assert consumer._fetcher._client is consumer._coordinator._client is consumer._client
