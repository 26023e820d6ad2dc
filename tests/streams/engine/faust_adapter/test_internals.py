"""Every internal of Faust and aiokafka that the engine uses, by name: a new version that moves one fails here first."""

import inspect
from importlib.metadata import version

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance, GroupCoordinator
from aiokafka.consumer.subscription_state import Assignment, TopicPartitionState
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.producer.sender import Sender
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.protocol.fetch import FetchRequest
from faust import App, Topic
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.consumer import Fetcher as FaustFetcher
from faust.transport.drivers import aiokafka as driver
from mode import Service
from mode.threads import ServiceThread

INTERNALS = [
    (App, "_on_partitions_revoked"),
    (App, "_new_transport"),
    (App, "_new_producer_transport"),
    (App, "_create_directories"),
    (App, "create_event"),
    (Topic, "_compile_decode"),
    (TableManager, "recovery"),
    (Recovery, "_resume_streams"),
    (driver.Transport, "Consumer"),
    (driver.Transport, "Producer"),
    (driver.Consumer, "_new_consumer_thread"),
    (driver.Consumer, "perform_seek"),
    (driver.Consumer, "threadsafe_partitions_revoked"),
    (driver.Consumer, "threadsafe_partitions_assigned"),
    (driver.Consumer, "_commit_offsets"),
    (driver.Consumer, "_new_offset"),
    (driver.Consumer, "verify_event_path"),
    (driver.Consumer, "_drain_messages"),
    (driver.Consumer, "consumer_stopped_errors"),
    (driver.AIOKafkaConsumerThread, "_create_worker_consumer"),
    (driver.AIOKafkaConsumerThread, "_ensure_consumer"),
    (driver.AIOKafkaConsumerThread, "_fetch_records"),
    (driver.AIOKafkaConsumerThread, "call_thread"),
    (driver.AIOKafkaConsumerThread, "__post_init__"),
    (FaustFetcher, "should_stop"),
    (Fetcher, "fetched_records"),
    (TopicPartitionState, "has_valid_position"),
    (TopicPartitionState, "position"),
    (Assignment, "state_value"),
    (AbstractPartitionAssignor, "assign"),
    (AbstractPartitionAssignor, "metadata"),
    (AbstractPartitionAssignor, "on_assignment"),
    (AIOKafkaClient, "bootstrap"),
    (AIOKafkaClient, "close"),
    (AIOKafkaClient, "send"),
    (AIOKafkaClient, "_get_conn"),
    (AIOKafkaClient, "_md_synchronizer"),
    (TransactionManager, "wait_for_transaction_end"),
    (AIOKafkaConsumer, "seek"),
    (AIOKafkaProducer, "create_batch"),
    (AIOKafkaProducer, "send_batch"),
    (AIOKafkaProducer, "send_offsets_to_transaction"),
    (AIOKafkaProducer, "partitions_for"),
    (Service, "crash_reason"),
]


@pytest.mark.parametrize(("owner", "name"), INTERNALS, ids=lambda value: getattr(value, "__name__", value))
def test_the_internal_is_where_we_lean_on_it(owner: type, name: str) -> None:
    assert hasattr(owner, name)


def test_the_versions_are_those_the_engine_was_written_for() -> None:
    assert (version("faust-streaming"), version("aiokafka")) == ("0.15.3", "0.14.0")


def test_fetching_moves_positions_without_another_await() -> None:
    """Positions read right after `fetched_records` belong to its records: its last await is before it takes them."""
    source = inspect.getsource(Fetcher.fetched_records)
    assert source.index("wait_for_assignment") < source.index("getall(max_records)")
    between = source[source.index("getall(max_records)") : source.index("return drained")]
    assert "await" not in between


def test_the_group_asks_the_assignor_it_was_given_after_it_has_set_the_generation() -> None:
    """The engine's assignor is an instance that remembers its assignment and the group's generation."""
    completed = inspect.getsource(GroupCoordinator._on_join_complete)
    assert "assignor.on_assignment(assignment)" in completed
    joined = inspect.getsource(CoordinatorGroupRebalance.perform_group_join)
    assert "assignor.metadata(topics)" in joined
    assert "self._coordinator.generation = response.generation_id" in joined


def test_the_consumers_thread_takes_a_loop_and_closes_it() -> None:
    source = inspect.getsource(ServiceThread)
    assert "self.thread_loop = thread_loop or" in source
    assert "self._close_thread_loop_on_stop = thread_loop is None" in source
    assert "if self._close_thread_loop_on_stop:" in source


def test_a_full_batch_builder_answers_none() -> None:
    from aiokafka.producer.message_accumulator import BatchBuilder

    builder = BatchBuilder(1_000, 0, is_transactional=True)
    assert builder.append(timestamp=None, key=b"k", value=b"x" * 900) is not None
    assert builder.append(timestamp=None, key=b"k", value=b"x" * 900) is None


def test_a_producer_and_its_parts_have_the_client_where_it_is_replaced() -> None:
    """Only there: a reference that we do not know of would use a client that never connects."""
    made = inspect.getsource(AIOKafkaProducer.__init__)
    assert "self.client = AIOKafkaClient(" in made
    assert made.count("self.client") == 3, "the client, its metadata, the sender"
    assert "self._metadata = self.client.cluster" in made
    assert made.count("self._metadata") == 2, "and the accumulator"
    assert "self._cluster = cluster" in inspect.getsource(MessageAccumulator.__init__)
    assert "self.client = client" in inspect.getsource(Sender.__init__)


def test_a_consumer_uses_its_client_from_its_start_on() -> None:
    made = inspect.getsource(AIOKafkaConsumer.__init__)
    assert "self._client = AIOKafkaClient(" in made
    assert "if topics:\n            topics = self._validate_topics(topics)\n            self._client.set_topics(topics)" in made
    assert made.count("self._client") == made.count("self._client_rack") + 2


def test_a_producer_stops_as_the_engines_own_does() -> None:
    source = inspect.getsource(AIOKafkaProducer.stop)
    assert [name for name in ("self._closed = True", "sender_task", "self.client.close()") if name not in source] == []
    assert "self._closed = True" in inspect.getsource(MessageAccumulator.close)


def test_a_connection_has_one_time_limit_for_all_answers() -> None:
    assert "wait_for(fut, self._request_timeout)" in inspect.getsource(AIOKafkaConnection.send)


def test_a_fetch_request_has_the_fields_that_a_session_needs() -> None:
    request = FetchRequest(100, 1, 2, 0, [], rack_id="r")
    assert vars(request) == {
        "_max_wait_ms": 100, "_min_bytes": 1, "_max_bytes": 2, "_isolation_level": 0, "_topics": [], "_rack_id": "r",
    }  # fmt: skip
