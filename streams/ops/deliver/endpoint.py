"""Delivers a tenant's findings to one webhook endpoint, from a consumer group of its own: one endpoint holds up no other.

Several processes share the partitions. All events of a finding are in one partition, and its owner posts them one after the other; it gives
a partition away only when its posts are answered.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition

from connectors.kafka.admin import admin_client
from connectors.kafka.clients import Consumer
from connectors.kafka.settings import AWAY, KafkaSettings
from connectors.observability import metrics
from connectors.webhooks.sender import TIMEOUT_S, EndpointSender, WebhookResult
from schemas.errors import InvalidRecord
from schemas.message import header
from schemas.tenancy import WebhookEndpoint
from schemas.webhooks.posted import REDELIVER_TO, REDELIVERIES, SOURCE, event_type, posted_event
from streams.ops.deliver.group_positions import GroupPositions
from streams.ops.deliver.progress import PartitionProgress
from streams.ops.deliver.schedule import Delivery, DeliverySchedule, NextStep, RetryPolicy

log = structlog.get_logger(__name__)
_POLL_MS: Final = 200
_SESSION_MS: Final = 6_000  # after a kill the events wait for so long, the least that brokers allow by default
_BATCH: Final = 200
_STOP_S: Final = TIMEOUT_S + 5

Pause = Callable[[str], Awaitable[None]]
"""Pause the endpoint, for a reason."""

Reject = Callable[[str, Any, str], Awaitable[None]]
"""Write the dead letter of a record of a topic (without prefix), for a reason."""


class _Place:
    """Where a delivery came from, and its record."""

    __slots__ = ("partition", "record")

    def __init__(self, partition: TopicPartition, record: Any) -> None:
        self.partition, self.record = partition, record


class EndpointDelivery(ConsumerRebalanceListener):  # type: ignore[misc]  # untyped library
    """One endpoint in one process. `is_paused` says whether an operator, or the product, has paused it, and `resumed_at` when it was resumed (ms)."""

    def __init__(
        self,
        kafka: KafkaSettings,
        tenant: str,
        endpoint: WebhookEndpoint,
        sender: EndpointSender,
        *,
        is_paused: Callable[[], bool],
        resumed_at: Callable[[], int],
        pause: Pause,
        reject: Reject,
        policy: RetryPolicy | None = None,
    ) -> None:
        self.key = f"{tenant}|{endpoint.name}"
        self._kafka, self._tenant, self._endpoint, self._sender = kafka, tenant, endpoint, sender
        self._is_paused, self._resumed_at, self._pause, self._reject = is_paused, resumed_at, pause, reject
        policy = policy or RetryPolicy(give_up_s=endpoint.give_up_hours * 3600.0, pause_s=endpoint.pause_hours * 3600.0)
        self._schedule = DeliverySchedule(policy, random.Random())  # noqa: S311  # spreads retries
        self._positions = GroupPositions(kafka, self.key, self.group, endpoint.since)
        self._posting: dict[asyncio.Task[None], TopicPartition] = {}
        self._waiting: dict[Delivery, int] = {}  # when the record was written (ms)
        self._consumer: Any = None
        self._handing_over = False
        self._was_paused = False
        self._failed: BaseException | None = None

    @property
    def group(self) -> str:
        """The endpoint's consumer group, as on the broker."""
        return group_of(self._kafka, self._tenant, self._endpoint.name)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until stopped. Raises Unavailable where Kafka does not answer."""
        topics = [self._kafka.topic(SOURCE), self._kafka.topic(REDELIVERIES)]
        self._consumer = consumer = Consumer(
            self._kafka, group_id=self.group, isolation_level="read_committed", enable_auto_commit=False,
            auto_offset_reset="earliest", session_timeout_ms=_SESSION_MS, heartbeat_interval_ms=_SESSION_MS // 3,
        )  # fmt: skip
        consumer.subscribe(topics, listener=self)
        try:
            await consumer.start()
            try:
                async with admin_client(self._kafka) as admin:
                    while not stop.is_set():
                        if self._failed is not None:
                            raise self._failed
                        await self._positions.place(consumer, admin, self._resumed_at() // 1000)
                        self._continue_failing()
                        await self._take(await consumer.getmany(timeout_ms=_POLL_MS, max_records=_BATCH))
                        await self._positions.note(consumer)
                        self._start()
                        self._positions.fetch_where_there_is_room(consumer)
                        await self._positions.commit(consumer)
            finally:
                self._handing_over = True
                await self._end_posts()
                await self._positions.commit(consumer)
        except AWAY as error:
            raise self._kafka.unavailable(error) from error
        finally:
            self._positions.clear()
            await consumer.stop()

    def set_gauges(self, now_ms: int) -> None:
        """Set what is measured when it is scraped."""
        metrics.WEBHOOK_WAITING.labels(self.key).set(len(self._waiting))
        oldest = min(self._waiting.values(), default=now_ms)
        metrics.WEBHOOK_BEHIND.labels(self.key).set(max(0.0, (now_ms - oldest) / 1000))
        metrics.WEBHOOK_PAUSED.labels(self.key).set(self._is_paused())

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Let the posts in flight end, commit, and forget the partitions; nothing is posted meanwhile."""
        self._handing_over = True
        try:
            await self._end_posts()
            await self._positions.commit(self._consumer)
        finally:
            gone = set(self._positions.progress)
            self._schedule.remove(lambda place: place.partition in gone)  # type: ignore[attr-defined]
            self._waiting = {each: at for each, at in self._waiting.items() if each.place.partition not in gone}  # type: ignore[attr-defined]
            self._positions.clear()
            self._handing_over = False

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Nothing: partitions without a progress are placed before the next fetch."""

    async def _take(self, batches: Mapping[TopicPartition, list[Any]]) -> None:
        for partition, records in batches.items():
            for record in records:
                progress = self._positions.progress.get(
                    partition
                )  # each time again: a rebalance may come while a dead letter is written
                if progress is not None and self._concerns(partition, record) and not progress.is_done(record.offset):
                    await self._accept(progress, partition, record)

    async def _accept(self, progress: PartitionProgress, partition: TopicPartition, record: Any) -> None:
        try:
            event = posted_event(record)
        except InvalidRecord as error:
            await self._reject(partition.topic.removeprefix(self._kafka.topic_prefix), record, str(error))
            return
        failed = progress.failed_at(record.offset)
        delivery = Delivery(place=_Place(partition, record), order=event.finding, event=event)
        delivery.first_failed_at = None if failed is None else _monotonic(failed)
        progress.begin(record.offset)
        self._waiting[delivery] = record.timestamp
        self._schedule.add(delivery)

    def _concerns(self, partition: TopicPartition, record: Any) -> bool:
        if partition.topic == self._kafka.topic(REDELIVERIES):
            return header(record.headers, REDELIVER_TO) == self.key
        tenant = (record.key or b"").partition(b":")[0].decode("utf-8", "replace")
        return tenant == self._tenant and (not self._endpoint.events or event_type(record) in self._endpoint.events)

    def _start(self) -> None:
        paused = self._is_paused()
        if self._was_paused and not paused:
            self._schedule.hurry(time.monotonic())
            self._positions.forget_failures()
        self._was_paused = paused
        if paused or self._handing_over:
            return
        for delivery in self._schedule.start(time.monotonic()):
            task = asyncio.create_task(self._post(delivery))
            self._posting[task] = delivery.place.partition  # type: ignore[attr-defined]
            task.add_done_callback(self._posted)

    def _posted(self, task: asyncio.Task[None]) -> None:
        self._posting.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed = error
        elif not task.cancelled():
            self._start()

    async def _post(self, delivery: Delivery) -> None:
        answer = await self._sender.post(delivery.event)  # type: ignore[arg-type]
        metrics.WEBHOOK_POSTS.labels(self.key, answer.result).inc()
        now = time.monotonic()
        if answer.result is WebhookResult.ACCEPTED:
            self._schedule.accepted(delivery, now)
            self._positions.failing_since = None
            self._done(delivery)
            return
        self._note_failure(delivery)
        answered = answer.result is WebhookResult.REFUSED
        step = self._schedule.failed(delivery, now, answer.reason, answered=answered, wait_s=answer.retry_after_s)
        if delivery.attempts == 1 or step is not NextStep.RETRY:
            log.warning(
                "a webhook was not accepted", endpoint=self.key, reason=answer.reason, attempt=delivery.attempts, hint=step
            )
        if answer.result is WebhookResult.GONE or step is NextStep.PAUSE:
            await self._pause(answer.reason)
        if step is NextStep.GIVE_UP:
            place: Any = delivery.place
            await self._reject(place.partition.topic.removeprefix(self._kafka.topic_prefix), place.record, answer.reason)
            metrics.WEBHOOK_GIVEN_UP.labels(self.key).inc()
            self._schedule.forget(delivery)
            self._done(delivery)

    def _note_failure(self, delivery: Delivery) -> None:
        """Keep in the group's positions since when it fails: the time after which it is given up continues after a restart."""
        place: Any = delivery.place
        now = int(time.time())
        self._positions.failing_since = self._positions.failing_since or now
        if (progress := self._positions.progress.get(place.partition)) is not None:
            progress.fail(place.record.offset, now)

    def _continue_failing(self) -> None:
        if self._positions.failing_since is not None:
            self._schedule.failed_before(_monotonic(self._positions.failing_since))

    def _done(self, delivery: Delivery) -> None:
        place: Any = delivery.place
        written = self._waiting.pop(delivery, None)
        if written is not None:
            metrics.WEBHOOK_AGE.labels(self.key).observe(max(0.0, time.time() - written / 1000))
        if (progress := self._positions.progress.get(place.partition)) is not None:
            progress.finish(place.record.offset)

    async def _end_posts(self) -> None:
        """Wait for the posts in flight: their answers decide what is committed."""
        if self._posting:
            _, late = await asyncio.wait(list(self._posting), timeout=_STOP_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def _monotonic(at: int) -> float:
    """Return a second since 1970 as the monotonic clock would have had it; not later than now."""
    return time.monotonic() - max(0.0, time.time() - at)


def group_of(kafka: KafkaSettings, tenant: str, name: str) -> str:
    """Return the consumer group of an endpoint, as on the broker."""
    return f"{kafka.topic_prefix}intercom-streams.webhook.{tenant}.{name}"
