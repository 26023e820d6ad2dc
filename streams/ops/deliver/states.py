"""The states of webhook endpoints on their topic: read, followed, and changed with an entry in the journal in one transaction."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Final

from connectors.kafka.clients import Consumer
from connectors.kafka.ranges import partitions_of
from connectors.kafka.settings import AWAY, KafkaSettings
from connectors.kafka.topic_end import latest_of_each
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.codec import Avro
from schemas.errors import TopicMissing
from schemas.ids import derived
from schemas.operations import WEBHOOK_CHANGED, Operation
from schemas.webhooks import endpoint_states
from schemas.webhooks.endpoint_states import EndpointState, EndpointStatus
from streams.ops.journal import entry_of

_CHANGE_ID: Final = "webhooks"  # one process at a time decides what follows from the state before
_POLL_MS: Final = 300


async def states(kafka: KafkaSettings, avro: Avro) -> dict[str, EndpointState]:
    """Return the latest state of each endpoint that ever had one, by `tenant|name`. Raises Unavailable."""
    return await latest_of_each(kafka, endpoint_states.TOPIC, partial(endpoint_states.decode, avro))


def is_paused(found: Mapping[str, EndpointState], key: str) -> bool:
    """Return whether an endpoint is paused."""
    return key in found and found[key].state is EndpointStatus.PAUSED


def resumed_at(found: Mapping[str, EndpointState], key: str) -> int:
    """Return when an endpoint was resumed (ms), 0 where it never was or is paused."""
    return found[key].since if key in found and not is_paused(found, key) else 0


async def change(
    kafka: KafkaSettings, avro: Avro, tenant: str, name: str, status: EndpointStatus, *, actor: str | None, reason: str | None
) -> EndpointState:
    """Bring an endpoint into a state, and return it; one that is in it already is left alone. Raises Unavailable."""
    async with transactions(kafka, _CHANGE_ID) as producer:
        before = (await states(kafka, avro)).get(f"{tenant}|{name}")
        if before is not None and before.state is status:
            return before
        now = max(time.time_ns() // 1_000_000, before.since + 1 if before else 0)
        state = EndpointState(tenant=tenant, name=name, state=status, since=now, actor=actor, reason=reason)
        headers = endpoint_states.event_context(avro, state).headers()
        record = TopicRecord(endpoint_states.TOPIC, state.key.encode(), endpoint_states.encode(avro, state), headers)
        await producer.append([record, _journal_entry(avro, state)])
    return state


class StateFollower:
    """What the topic says now. `known` is by `tenant|name`; it is complete once `caught_up` is set."""

    def __init__(self, kafka: KafkaSettings, avro: Avro) -> None:
        self._kafka, self._avro = kafka, avro
        self.known: dict[str, EndpointState] = {}
        self.caught_up = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled. Raises Unavailable where Kafka does not answer, or has no such topic."""
        name = self._kafka.topic(endpoint_states.TOPIC)
        consumer = Consumer(self._kafka, enable_auto_commit=False, auto_offset_reset="earliest", isolation_level="read_committed")
        try:
            await consumer.start()
            partitions = await partitions_of(consumer, name)
            if not partitions:
                raise TopicMissing(f"There is no topic {name} at {self._kafka.bootstrap}. Run: intercom-streams topics apply")
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            while True:
                for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                    for record in records:
                        self.known[record.key.decode()] = endpoint_states.decode(self._avro, record.value)
                if not self.caught_up.is_set() and all([await consumer.position(each) >= end for each, end in ends.items()]):
                    self.caught_up.set()
        except AWAY as error:
            raise self._kafka.unavailable(error) from error
        finally:
            await consumer.stop()


def _journal_entry(avro: Avro, state: EndpointState) -> TopicRecord:
    operation = Operation(
        id=derived(WEBHOOK_CHANGED, state.key, state.state, state.since),
        kind=WEBHOOK_CHANGED,
        time=state.since,
        actor=state.actor,
        process=f"webhook-{state.key}",
        reason=state.reason,
        details={"endpoint": state.key, "state": state.state},
    )
    return entry_of(avro, operation)
