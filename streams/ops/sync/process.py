"""Serves the requests of agents to read from Intercom, and reads what is due: teammates, and what webhooks may have lost.

Several processes share the work as members of one group: whose partition of `access.read.requests` a workspace belongs to reads what is due
for it, so one does. A position is committed once everything before it is served; a request that is served twice changes nothing.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from connectors.intercom.rest.client import RestClient
from connectors.kafka.clients import Consumer, started
from connectors.kafka.settings import AWAY, KafkaSettings
from connectors.kafka.transaction import Transactions, transactions
from connectors.observability import metrics
from schemas.access.read_requests import TOPIC as TEAMMATE_REQUESTS
from schemas.codec import Avro
from schemas.errors import IntercomStreamsError, InvalidRecord, MustStop
from schemas.ids import derived
from schemas.partition import partition_of
from schemas.tenancy import Tenancy
from schemas.workspaces import WorkspaceStatus
from streams.ops.sync.catch_up import CatchUp, SyncSchedule
from streams.ops.sync.heartbeat import Heartbeat
from streams.ops.sync.pending import PendingReads, Place, ReadTarget
from streams.ops.sync.requests import RequestReader, request_readers
from streams.ops.sync.target_reads import TargetReads
from streams.ops.workspaces.reading import status_of

log = structlog.get_logger(__name__)
_POLL_MS: Final = 200
_RETRY_S: Final = 2.0

MakeClient = Callable[[str], RestClient]


class SyncProcess:
    """One process. `make_client` returns the client of a workspace that has a token."""

    def __init__(
        self, kafka: KafkaSettings, avro: Avro, tenancy: Tenancy, schedule: SyncSchedule, make_client: MakeClient
    ) -> None:
        self._kafka, self._avro, self._tenancy, self._schedule = kafka, avro, tenancy, schedule
        self._make_client = make_client
        self._pending = PendingReads()
        self._reads = TargetReads(avro, tenancy, self._pending)
        self._clients: dict[str, RestClient] = {}
        self._working: dict[str, asyncio.Task[None]] = {}
        self._caught_up: dict[str, float] = {}
        self._looked: dict[str, float] = {}
        self._heartbeats: dict[str, Heartbeat] = {}
        self._committed: dict[object, int] = {}
        self._failed: BaseException | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until stopped. Raises Unavailable where Kafka does not answer."""
        names = request_readers(self._kafka, self._avro)
        consumer = Consumer(
            self._kafka, group_id=f"{self._kafka.topic_prefix}intercom-streams.sync", isolation_level="read_committed",
            enable_auto_commit=False, auto_offset_reset="earliest",
        )  # fmt: skip
        consumer.subscribe(list(names), listener=_Revoked(self._pending))
        id_ = f"sync-{derived(self._kafka.topic_prefix, id(self), time.time_ns())}"
        try:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(started(consumer))
                producer = await stack.enter_async_context(transactions(self._kafka, id_))
                stack.push_async_callback(self._end)
                while not stop.is_set():
                    if self._failed is not None:
                        raise self._failed
                    batches = await consumer.getmany(timeout_ms=_POLL_MS, max_records=500)
                    self._take(names, batches)
                    self._start_work(consumer, producer, stack, stop)
                    await self._commit(consumer)
        except AWAY as error:
            raise self._kafka.unavailable(error) from error

    def _take(self, names: Mapping[str, RequestReader], batches: Mapping[TopicPartition, list[Any]]) -> None:
        now = _now()
        for partition, records in batches.items():
            for record in records:
                place = Place(partition, record.offset)
                try:
                    target, not_before = names[partition.topic](record)
                except InvalidRecord as error:
                    log.warning(
                        "a request to read cannot be understood", topic=partition.topic, offset=record.offset, reason=str(error)
                    )
                    self._pending.passed(place)
                    continue
                workspace = self._tenancy.workspaces.get(target.app_id)
                if workspace is None or not workspace.access_token:
                    metrics.SYNC_READS.labels("no_token").inc()
                    self._pending.passed(place)
                else:
                    self._pending.add(target, place, not_before, now)

    def _start_work(self, consumer: Any, producer: Transactions, stack: AsyncExitStack, stop: asyncio.Event) -> None:
        """Start a task for each workspace that has something to be read and no task."""
        due: dict[str, list[ReadTarget]] = {}
        for target in self._pending.due(_now()):
            due.setdefault(target.app_id, []).append(target)
        owned = self._owned(consumer)
        for app_id in due.keys() | owned:
            targets = due.get(app_id, [])
            teammates = app_id in owned and self._is_due(app_id, self._reads.teammates_read, self._schedule.teammates_s)
            if teammates and ReadTarget(app_id) not in targets:
                targets.insert(0, ReadTarget(app_id))
            looks = app_id in owned and self._is_due(app_id, self._looked, self._schedule.heartbeat_s)
            is_due = app_id in owned and self._is_due(app_id, self._caught_up, self._schedule.look_s)
            if (targets or is_due or looks) and app_id not in self._working:
                task = asyncio.create_task(self._work(app_id, targets, producer, stack, due_until=stop if is_due else None))
                self._working[app_id] = task
                task.add_done_callback(partial(self._done, app_id))

    def _done(self, app_id: str, task: asyncio.Task[None]) -> None:
        self._working.pop(app_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed = error

    async def _work(
        self,
        app_id: str,
        targets: list[ReadTarget],
        producer: Transactions,
        stack: AsyncExitStack,
        *,
        due_until: asyncio.Event | None,
    ) -> None:
        try:
            status = await status_of(self._kafka, self._avro, app_id)
            targets = self._reads.readable(app_id, targets, status)
            if status is not WorkspaceStatus.ACTIVE:
                self._looked[app_id] = self._caught_up[app_id] = time.monotonic()
            if status is WorkspaceStatus.ACTIVE or targets:
                await self._reads.serve(client := await self._client(app_id, stack), targets, producer)
            if status is not WorkspaceStatus.ACTIVE:  # its posts are held, so that none come is no silence
                return
            changed = await self._heartbeat(client, producer)
            if due_until is not None or changed:
                self._caught_up[app_id] = time.monotonic()
                catch_up = CatchUp(self._kafka, self._avro, self._tenancy, self._schedule)
                await catch_up.read_due(client, due_until or asyncio.Event(), at_once=changed)
        except MustStop as refusal:  # a person has to act; what was asked for comes with the next resync
            self._reads.teammates_read[app_id] = time.monotonic()
            self._reads.refused(app_id, targets, refusal)
        except IntercomStreamsError as error:
            self._reads.failed(app_id, error)
            await asyncio.sleep(_RETRY_S)

    async def _heartbeat(self, client: RestClient, producer: Transactions) -> bool:
        """Look whether webhooks come, where that is due; return whether that changed, so that what was missed is read at once."""
        app_id = client.workspace.app_id
        if not self._is_due(app_id, self._looked, self._schedule.heartbeat_s):
            return False
        self._looked[app_id] = time.monotonic()
        heartbeat = self._heartbeats.setdefault(app_id, Heartbeat(self._kafka, self._avro, self._tenancy.owners[app_id], app_id))
        facts = await heartbeat.look(client, _now())
        await producer.append(facts)
        return bool(facts)

    async def _client(self, app_id: str, stack: AsyncExitStack) -> RestClient:
        if app_id not in self._clients:
            async with AsyncExitStack() as unchecked:  # a client that is refused is closed at once
                client = await unchecked.enter_async_context(self._make_client(app_id))
                await client.check_workspace()
                stack.push_async_exit(unchecked.pop_all())
            self._clients[app_id] = client
        return self._clients[app_id]

    def _owned(self, consumer: Any) -> set[str]:
        """Return the workspaces whose partition this process has, and that have a token."""
        topic, assigned = self._kafka.topic(TEAMMATE_REQUESTS), consumer.assignment()
        count = len(consumer.partitions_for_topic(topic) or ())
        return {
            app_id
            for app_id, workspace in self._tenancy.workspaces.items()
            if workspace.access_token and count and TopicPartition(topic, partition_of(app_id.encode(), count)) in assigned
        }

    def _is_due(self, app_id: str, last: Mapping[str, float], every_s: int) -> bool:
        return bool(every_s) and (app_id not in last or time.monotonic() - last[app_id] >= every_s)

    async def _commit(self, consumer: Any) -> None:
        owned = consumer.assignment()
        positions = {partition: at for partition, at in self._pending.committable().items() if partition in owned}
        if positions and positions != self._committed:
            try:
                await consumer.commit(positions)
            except KafkaError as error:  # the group moves: the next owner reads again from the last commit
                log.info("positions not committed", reason=type(error).__name__)
                return
            self._committed = positions

    async def _end(self) -> None:
        for task in list(self._working.values()):
            task.cancel()
        await asyncio.gather(*self._working.values(), return_exceptions=True)


class _Revoked(ConsumerRebalanceListener):  # type: ignore[misc]  # untyped library
    """Drops what revoked partitions asked for."""

    def __init__(self, pending: PendingReads) -> None:
        self._pending = pending

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        for partition in revoked:
            self._pending.forget(partition)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        pass


def _now() -> int:
    return time.time_ns() // 1_000_000
