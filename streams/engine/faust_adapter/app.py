"""A Faust app that runs agents as batch steps. Faust provides membership, rebalances, streams and supervision only."""

from collections.abc import AsyncIterable, Collection
from typing import Any

import faust
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from mode.supervisors import CrashingSupervisor
from yarl import URL

from connectors.kafka.settings import KafkaSettings
from streams.engine.agent import Agent
from streams.engine.faust_adapter.consumer import BatchTransport
from streams.engine.faust_callbacks import FaustCallbacks
from streams.engine.faust_types import TP
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.fetch_buffer import FetchedBatch


class BatchTopic(faust.Topic):
    """A topic whose messages are batches: nothing to decode."""

    def _compile_decode(self) -> None:
        super()._compile_decode()
        create = self.app.create_event

        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return create(None, message.value, None, message)

        self.decode = decode


class TableRecovery(Recovery):
    """Load the engine's tables after an assignment. The flow resumes before: processors join when their tables are restored."""

    _epoch = -1

    async def on_rebalance(self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0) -> None:
        """Remember the epoch of this assignment: a revocation, which makes it void, may precede the load of its tables."""
        self._epoch = self.app.assignment.epoch
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)

    async def _resume_streams(self, generation_id: int = 0) -> None:
        app = self.app
        if app.consumer_generation_id != generation_id or self._epoch != app.assignment.epoch:
            return  # the next assignment is on its way
        await super()._resume_streams(generation_id=generation_id)
        if self._epoch == app.assignment.epoch:
            await app.assignment.assigned(app.consumer.assignment())


class BatchTableManager(TableManager):
    """Use `TableRecovery`."""

    @property
    def recovery(self) -> TableRecovery:
        if self._recovery is None:
            self._recovery = TableRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery


class BatchApp(faust.App):
    """Run agents exactly once per batch. This class only connects Faust to `assignment`, where the engine takes over."""

    def __init__(
        self, agents: tuple[Agent, ...], *, kafka: KafkaSettings, names: Naming, limits: Limits, assignment: FaustCallbacks
    ) -> None:
        self.kafka = kafka
        self.names = names
        self.limits = limits
        self.assignment = assignment
        super().__init__(
            names.group,
            broker=[URL(f"kafka://{address.strip()}") for address in kafka.bootstrap.split(",")],
            Topic=BatchTopic,
            TableManager=BatchTableManager,
            agent_supervisor=CrashingSupervisor,  # any other supervisor commits past a batch whose agent raised
            stream_wait_empty=False,
            table_standby_replicas=0,
            topic_allow_declare=False,  # `topics apply` has created them
            topic_disable_leader=True,
            topic_partitions=kafka.partitions,
            web_enabled=False,
            HttpClient=object,  # never used; the usual one would be imported
            autodiscover=False,
            broker_session_timeout=limits.session_timeout_ms / 1000,
            broker_heartbeat_interval=limits.heartbeat_ms / 1000,
        )
        for agent in agents:
            self._start_reading(agent)

    def _start_reading(self, agent: Agent) -> None:
        source = self.topic(*[self.names.source(agent.name, topic) for topic in agent.sources], key_type=bytes, value_type=bytes)

        async def read(stream: AsyncIterable[Any]) -> None:
            async for event in stream.noack().events():
                fetched: FetchedBatch = event.value
                self.assignment.offer(TP(event.message.topic, event.message.partition), fetched)
                event.ack()

        self.agent(source, name=agent.name)(read)

    def _create_directories(self) -> None:
        """Create none: the engine keeps no state in Faust's data directory."""

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_producer, self)

    async def _on_partitions_revoked(self, revoked: Collection[TP]) -> None:
        """Let every running transaction end before the partitions move, so that its writes are complete or absent."""
        await self.assignment.revoked()
        await super()._on_partitions_revoked(revoked)
