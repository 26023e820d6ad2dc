"""aiokafka asserts that some broker can be asked; where none can for a moment, that is an outage and no fault of the program."""

import pytest
from aiokafka import AIOKafkaProducer

from connectors.kafka.exclusive_writer import ExclusiveWriter
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import transactions
from schemas.errors import Unavailable

pytestmark = pytest.mark.asyncio
NOBODY = KafkaSettings(bootstrap="127.0.0.1:1")


@pytest.fixture(autouse=True)
def _no_broker_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    async def start(self: AIOKafkaProducer) -> None:
        raise AssertionError("Did we not perform bootstrap?")

    monkeypatch.setattr(AIOKafkaProducer, "start", start)


async def test_a_writer_that_cannot_lead_says_that_kafka_is_away() -> None:
    writer = ExclusiveWriter(NOBODY, "test")
    with pytest.raises(Unavailable, match="did not take the facts"):
        await writer.lead()
    await writer.close()


async def test_transactions_that_cannot_begin_say_that_kafka_is_away() -> None:
    with pytest.raises(Unavailable, match="were not appended"):
        async with transactions(NOBODY, "test"):
            pass
