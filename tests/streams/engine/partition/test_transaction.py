"""One transaction on a real broker: which error it raises when its producer fails in the middle."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerFenced

from connectors.kafka.settings import KafkaSettings
from streams.engine.limits import Limits
from streams.engine.partition.transaction import commit
from streams.engine.recovery.fencing import fenced_producer
from streams.engine.runner import _ignore_unretrieved
from streams.engine.tables.commit_state import CommitState
from tests.patience import DEADLINE_S
from tests.support.counting_agent import OUT, PARTITIONS, SECOND, SOURCE, create_topics, read_all

pytestmark = pytest.mark.asyncio


async def test_an_owner_fenced_between_two_batches_hears_of_it_as_of_any_other_failure(
    kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by a campaign, kind workers, seed 2426406216: aiokafka raised another error, which stopped the worker."""
    asyncio.get_running_loop().set_exception_handler(_ignore_unretrieved)
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS)
    await create_topics(settings)
    owner = await fenced_producer(settings, f"{prefix}owner", Limits())
    rival = await fenced_producer(settings, f"{prefix}owner", Limits())
    send_batch = AIOKafkaProducer.send_batch
    sent_topics: list[str] = []

    async def late(self: AIOKafkaProducer, builder: Any, topic: str, **kwargs: Any) -> Any:
        if sent_topics:
            await asyncio.wait({self._sender.sender_task})  # which ends when the broker reports the rival
        sent_topics.append(topic)
        return await send_batch(self, builder, topic, **kwargs)

    monkeypatch.setattr(AIOKafkaProducer, "send_batch", late)
    try:
        with pytest.raises(ProducerFenced):
            await asyncio.wait_for(_commit(settings, owner), DEADLINE_S)
        assert len(sent_topics) == 2
    finally:
        await rival.stop()
        await owner.stop()
    assert await read_all(settings, OUT) == []


async def _commit(settings: KafkaSettings, producer: AIOKafkaProducer) -> None:
    async def partition_count(_: str) -> int:
        return PARTITIONS

    await commit(
        producer,
        sent=[(OUT, b"k", b"x", (), 0)],
        changes={},
        changelog=settings.topic(SECOND),
        partition=0,
        commit_state=CommitState({SOURCE: 1}),
        output_name=settings.topic,
        source_name=settings.topic,
        partition_count=partition_count,
        group=f"{settings.topic_prefix}group",
    )
