"""Faust's aiokafka consumer, taught to deliver whole partition batches with their positions.

Each override says why; `tests/streams/engine/faust_adapter/test_internals.py` names every internal leaned on, so that a new version of either library that
moves one fails there first.
"""

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP, ConsumerMessage

from streams.engine.faust_adapter.assignor import CoPartitionAssignor
from streams.engine.partition.fetch_buffer import FetchedBatch, size_of

_STOPPING_LOOK_SECONDS = 0.2  # between two looks whether the process is stopping, while it is told of a rebalance


class FetchThread(driver.AIOKafkaConsumerThread):
    """The thread that owns the aiokafka consumer. What it gave out last, by partition, is known only here, where seeks happen too."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._close_thread_loop_on_stop = True  # the loop was made for this thread alone
        self._given: dict[TopicPartition, int] = {}

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        """Read committed, co-partition, and never reset an offset by itself: Faust's own offers none of the three."""
        app = self.app
        limits = app.limits
        assignor = CoPartitionAssignor(lambda: int(consumer._coordinator.generation))  # noqa: SLF001
        consumer = AIOKafkaConsumer(
            **app.kafka.client(),
            group_id=app.names.group,
            partition_assignment_strategy=[assignor],
            enable_auto_commit=False,
            auto_offset_reset="none",  # a position out of the log's range is a gap for a person, not a jump
            isolation_level="read_committed",
            max_partition_fetch_bytes=limits.fetch_bytes,
            fetch_max_bytes=64 << 20,
            fetch_max_wait_ms=limits.fetch_wait_ms,
            session_timeout_ms=limits.session_timeout_ms,
            rebalance_timeout_ms=max(30_000, limits.session_timeout_ms),
            heartbeat_interval_ms=limits.heartbeat_ms,
            max_poll_interval_ms=24
            * 3_600_000,  # loading a large table is no reason to be thrown out; the session is what counts
            metadata_max_age_ms=60_000,
        )
        return consumer

    async def fetch(self, places: Collection[TP], *, timeout: float, most: int) -> list[tuple[TP, FetchedBatch]]:
        """Return what is there of these partitions, each with the positions before and after it, read in one go with the records."""
        found: list[tuple[TP, FetchedBatch]] = await self.call_thread(self._fetch, places, timeout, most)
        return found

    async def _fetch(self, places: Collection[TP], timeout: float, most: int) -> list[tuple[TP, FetchedBatch]]:
        consumer = self._ensure_consumer()
        wanted = {TopicPartition(place.topic, place.partition) for place in places}
        records: Mapping[TopicPartition, Any] = await self._fetch_records(consumer, wanted, timeout=timeout, max_records=most)
        # no await from here on: the positions belong to these records
        subscription = consumer._subscription.subscription  # noqa: SLF001
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None:
            return []
        return [
            (TP(place.topic, place.partition), fetched)
            for place in wanted & set(assignment.tps)
            if (fetched := self._taken(place, assignment.state_value(place), records.get(place, ()))) is not None
        ]

    def _taken(self, place: TopicPartition, state: Any, records: Any) -> FetchedBatch | None:
        if not state.has_valid_position or place not in self._given:
            return None
        before, after = self._given[place], state.position
        if after == before:
            return None
        self._given[place] = after
        end = state.lso if state.lso is not None else 0
        return FetchedBatch(self.app.names.plain(place.topic), before, after, records, end, size_of(records))

    async def place_at(self, positions: Mapping[TP, int]) -> None:
        """Seek, and remember it in the same breath, so that what is fetched next is known to begin there."""
        await self.call_thread(self._place_at, positions)

    async def _place_at(self, positions: Mapping[TP, int]) -> None:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        for place, position in positions.items():
            target = TopicPartition(place.topic, place.partition)
            if target in assigned:
                consumer.seek(target, position)
                self._given[target] = position


class BatchConsumer(driver.Consumer):
    """Deliver one Faust message per partition batch. Offsets are committed by the engine's transactions alone."""

    def _new_consumer_thread(self) -> FetchThread:
        return FetchThread(self, loop=self.loop, beacon=self.beacon, thread_loop=type(self.loop)())  # of the process' own kind

    async def threadsafe_partitions_revoked(self, receiver_loop: asyncio.AbstractEventLoop, revoked: set[TP]) -> None:
        """Tell the main thread, unless it is stopping: it then waits for the fetch thread, and Faust's own would wait for it, for ever."""
        await self._unless_stopping(super().threadsafe_partitions_revoked(receiver_loop, revoked))

    async def threadsafe_partitions_assigned(
        self, receiver_loop: asyncio.AbstractEventLoop, assigned: set[TP], generation_id: int = 0
    ) -> None:
        """The same."""
        await self._unless_stopping(super().threadsafe_partitions_assigned(receiver_loop, assigned, generation_id))

    async def _unless_stopping(self, telling: Coroutine[Any, Any, None]) -> None:
        told = asyncio.create_task(telling)
        try:
            while not (await asyncio.wait({told}, timeout=_STOPPING_LOOK_SECONDS))[0]:
                if self.app.should_stop:  # the engine is closed by then: there is nothing to revoke or to assign
                    return
            told.result()
        finally:
            told.cancel()

    async def perform_seek(self) -> None:
        """Read on from the tables' positions. Faust would seek to the group's offsets, which a first start does not have."""
        await self._thread.place_at(self.app.engine.positions())

    async def place_at(self, positions: Mapping[TP, int]) -> None:
        """Read on from given positions."""
        await self._thread.place_at(positions)

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:
        """Do nothing: Faust's acks only free memory, the transaction has committed already."""
        return True

    def _new_offset(self, tp: TP) -> int | None:
        """Report nothing to commit, for the same reason."""
        return None

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Stay silent: Faust's watchdog looks for commits of its own; lag and status are metrics here."""

    async def _drain_messages(self, fetcher: Any) -> None:
        """Fetch for lanes that have room and hand over whole batches. Faust's own makes four tasks a record and knows no positions."""
        engine = self.app.engine
        try:
            while not (self.should_stop or fetcher.should_stop):
                if not self.flow_active:
                    await self.wait(self.can_resume_flow)
                    continue
                places, all_have_room = engine.partitions_with_room()
                if not places:
                    await asyncio.sleep(0.02)
                    continue
                await self._fetch_and_deliver(engine, places, 1.0 if all_have_room else 0.05)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.app.should_stop and not self.app.rebalancing:
                raise

    async def _fetch_and_deliver(self, engine: Any, places: Collection[TP], timeout: float) -> None:
        try:
            found = await self._thread.fetch(places, timeout=timeout, most=self.app.limits.batch_records * 4)
        except driver.KafkaError as error:
            engine.fetch_failed(error)
            return
        generation = self.app.consumer_generation_id
        for place, fetched in found:
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return  # what is dropped here is fetched again: positions are set anew after every rebalance
            engine.reserve(place, fetched)
            await self.callback(self._message(place, fetched, generation))

    def _message(self, place: TP, fetched: FetchedBatch, generation: int) -> ConsumerMessage:
        last = fetched.after - 1
        return ConsumerMessage(
            place.topic, place.partition, last, 0.0, 0, (), None, fetched, None, 0, 0, place, generation_id=generation
        )


class SilentProducer(driver.Producer):
    """Faust's own producer, never connected: everything we send goes through a partition's transaction."""

    async def on_start(self) -> None:
        """Connect nothing."""

    async def on_stop(self) -> None:
        """Close nothing."""

    async def flush(self) -> None:
        """Hold nothing back."""


class BatchTransport(driver.Transport):
    """Tie the two together."""

    Consumer = BatchConsumer
    Producer = SilentProducer
