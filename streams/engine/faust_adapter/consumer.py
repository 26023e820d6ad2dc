"""Faust's aiokafka consumer, extended to deliver whole partition batches with their positions.

Each override says why; `tests/streams/engine/faust_adapter/test_internals.py` names every internal that is used here, so that a
new version of either library that moves one fails there first.
"""

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from typing import Any

from aiokafka import TopicPartition
from faust.transport.drivers import aiokafka as driver

from connectors.kafka.clients import Consumer
from streams.engine.faust_adapter.assignor import CoPartitionAssignor
from streams.engine.faust_adapter.group_client import GroupClient
from streams.engine.faust_callbacks import FaustCallbacks
from streams.engine.faust_types import TP, ConsumerMessage
from streams.engine.partition.fetch_buffer import FetchedBatch, size_of

_STOPPING_CHECK_SECONDS = 0.2  # between two checks whether the process is stopping, while a rebalance is handled


class FetchThread(driver.AIOKafkaConsumerThread):
    """The thread that owns the aiokafka consumer. It seeks too, so only it knows the last delivered positions."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._close_thread_loop_on_stop = True  # the loop was made for this thread alone
        self._delivered: dict[TopicPartition, int] = {}

    def _create_worker_consumer(self, transport: Any) -> Consumer:
        """Create a consumer that reads committed, co-partitions and never resets an offset: Faust's own does none of these."""
        app = self.app
        limits = app.limits
        assignor = CoPartitionAssignor(lambda: int(consumer._coordinator.generation))  # noqa: SLF001
        consumer = Consumer(
            app.kafka,
            group_id=app.names.group,
            group_instance_id=limits.group_instance or None,
            partition_assignment_strategy=[assignor],
            enable_auto_commit=False,
            auto_offset_reset="none",  # an offset out of the log's range means lost records: a person decides
            isolation_level="read_committed",
            max_partition_fetch_bytes=limits.fetch_bytes,
            fetch_max_bytes=64 << 20,
            fetch_max_wait_ms=limits.fetch_wait_ms,
            session_timeout_ms=limits.session_timeout_ms,
            rebalance_timeout_ms=limits.rebalance_timeout_ms,
            heartbeat_interval_ms=limits.heartbeat_ms,
            max_poll_interval_ms=24 * 3_600_000,  # a long load must not end the membership; the session timeout decides
        )
        consumer._client = GroupClient(app.kafka, limits)  # noqa: SLF001  # before its start: nothing has used the other
        return consumer

    async def fetch(self, tps: Collection[TP], *, timeout: float, max_records: int) -> list[tuple[TP, FetchedBatch]]:
        """Return fetched batches of these partitions, with the positions before and after, which are read with the records."""
        fetched: list[tuple[TP, FetchedBatch]] = await self.call_thread(self._fetch, tps, timeout, max_records)
        return fetched

    async def _fetch(self, tps: Collection[TP], timeout: float, max_records: int) -> list[tuple[TP, FetchedBatch]]:
        consumer = self._ensure_consumer()
        partitions = {TopicPartition(tp.topic, tp.partition) for tp in tps}
        records: Mapping[TopicPartition, Any] = await self._fetch_records(
            consumer, partitions, timeout=timeout, max_records=max_records
        )
        # no await from here on: the positions belong to these records
        subscription = consumer._subscription.subscription  # noqa: SLF001
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None:
            return []
        return [
            (TP(tp.topic, tp.partition), batch)
            for tp in partitions & set(assignment.tps)
            if (batch := self._batch(tp, assignment.state_value(tp), records.get(tp, ()))) is not None
        ]

    def _batch(self, tp: TopicPartition, state: Any, records: Any) -> FetchedBatch | None:
        if not state.has_valid_position or tp not in self._delivered:
            return None
        before, after = self._delivered[tp], state.position
        if after == before:
            return None
        self._delivered[tp] = after
        end = state.lso if state.lso is not None else 0
        return FetchedBatch(self.app.names.plain(tp.topic), before, after, records, end, size_of(records))

    async def seek_to(self, positions: Mapping[TP, int]) -> None:
        """Seek, and record the positions in the same step, so that the next fetch is known to begin there."""
        await self.call_thread(self._seek_to, positions)

    async def _seek_to(self, positions: Mapping[TP, int]) -> None:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        for tp, position in positions.items():
            target = TopicPartition(tp.topic, tp.partition)
            if target in assigned:
                consumer.seek(target, position)
                self._delivered[target] = position


class BatchConsumer(driver.Consumer):
    """Deliver one Faust message per partition batch. Offsets are committed by the engine's transactions alone."""

    def _new_consumer_thread(self) -> FetchThread:
        """Give the thread a loop of the same class as the process's own."""
        return FetchThread(self, loop=self.loop, beacon=self.beacon, thread_loop=type(self.loop)())

    async def threadsafe_partitions_revoked(self, receiver_loop: asyncio.AbstractEventLoop, revoked: set[TP]) -> None:
        """Call the main thread, unless it is stopping: it then waits for this thread, and Faust's own method would deadlock."""
        await self._unless_stopping(super().threadsafe_partitions_revoked(receiver_loop, revoked))

    async def threadsafe_partitions_assigned(
        self, receiver_loop: asyncio.AbstractEventLoop, assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Call the main thread, unless it is stopping, for the same reason."""
        await self._unless_stopping(super().threadsafe_partitions_assigned(receiver_loop, assigned, generation_id))

    async def _unless_stopping(self, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(call)
        try:
            while not (await asyncio.wait({task}, timeout=_STOPPING_CHECK_SECONDS))[0]:
                if self.app.should_stop:  # the engine is closed by then: there is nothing to revoke or to assign
                    return
            task.result()
        finally:
            task.cancel()

    async def perform_seek(self) -> None:
        """Seek to the processors' positions. Faust would seek to the group's offsets, which do not exist at a first start."""
        await self._thread.seek_to(self.app.assignment.positions())

    async def seek_to(self, positions: Mapping[TP, int]) -> None:
        """Seek to given positions."""
        await self._thread.seek_to(positions)

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:
        """Do nothing: Faust's acknowledgements only free memory, the transaction has committed already."""
        return True

    def _new_offset(self, tp: TP) -> int | None:
        """Return None, nothing to commit, for the same reason."""
        return None

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust's watchdog looks for Faust's own commits; here metrics show lag and status."""

    async def _drain_messages(self, fetcher: Any) -> None:
        """Fetch for processors with room and deliver whole batches. Faust's own makes four tasks per record."""
        assignment = self.app.assignment
        try:
            while not (self.should_stop or fetcher.should_stop):
                if not self.flow_active:
                    await self.wait(self.can_resume_flow)
                    continue
                tps, all_have_room = assignment.partitions_with_room()
                if not tps:
                    await asyncio.sleep(0.02)
                    continue
                await self._fetch_and_deliver(assignment, tps, 1.0 if all_have_room else 0.05)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.app.should_stop and not self.app.rebalancing:
                raise

    async def _fetch_and_deliver(self, assignment: FaustCallbacks, tps: Collection[TP], timeout: float) -> None:
        try:
            fetched = await self._thread.fetch(tps, timeout=timeout, max_records=self.app.limits.batch_records)
        except driver.KafkaError as error:
            assignment.fetch_failed(error)
            return
        generation = self.app.consumer_generation_id
        for tp, batch in fetched:
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return  # dropped batches are fetched again: every rebalance resets the positions
            stop = assignment.stop_of(tp)
            if stop is not None and batch.after > stop:
                await self._thread.seek_to({tp: stop})
                if batch.before >= stop:
                    continue
                batch = batch.until(stop)
            assignment.reserve(tp, batch)
            await self.callback(self._message(tp, batch, generation))

    def _message(self, tp: TP, batch: FetchedBatch, generation: int) -> ConsumerMessage:
        return ConsumerMessage(
            tp.topic, tp.partition, batch.after - 1, 0.0, 0, (), None, batch, None, 0, 0, tp, generation_id=generation
        )


class SilentProducer(driver.Producer):
    """Faust's own producer, never connected: every record is sent in a partition's transaction."""

    async def on_start(self) -> None:
        """Do not connect."""

    async def on_stop(self) -> None:
        """Do nothing: there is no connection to close."""

    async def flush(self) -> None:
        """Do nothing: no record is buffered."""


class BatchTransport(driver.Transport):
    """Use this consumer and this producer."""

    Consumer = BatchConsumer
    Producer = SilentProducer
