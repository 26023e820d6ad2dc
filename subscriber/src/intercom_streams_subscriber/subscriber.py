"""A consumer of findings in a group, beside one of `access.state` for the coverage: committed records only, each event once."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from intercom_streams_subscriber.coverage import Coverage
from intercom_streams_subscriber.errors import SubscriberError, UnreadableRecord
from intercom_streams_subscriber.models import Finding
from intercom_streams_subscriber.order import Delivery, SeenFindings
from intercom_streams_subscriber.schemas import Schemas

FINDINGS = "access.violations.json"
STATE = "access.state"
_POLL_S = 0.2
_COVERAGE_S = 1.0  # how old what is known of the coverage may be, in a poll that waits
_START_S = 30.0
_REPLAYED = "ce_replayid"

_decode = msgspec.json.Decoder(Finding).decode


class Subscriber:
    """Iterate over it, or `poll` it. An event counts as taken when the next one is asked for, or at `close`.

    `on_unreadable` gets the error of a record that is no event of a finding; without it, it is raised.
    """

    def __init__(
        self,
        bootstrap: str,
        group: str,
        *,
        prefix: str = "",
        start: str = "earliest",
        known: Mapping[str, int] | None = None,
        repeats: bool = False,
        replays: bool = False,
        registry: str = "",
        config: Mapping[str, Any] | None = None,
        on_unreadable: Callable[[SubscriberError], object] | None = None,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._common = {
            **(config or {}),
            "bootstrap.servers": bootstrap,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
        self._group, self._start = group, start
        self._findings_topic, self._state_topic = f"{prefix}{FINDINGS}", f"{prefix}{STATE}"
        self._repeats, self._replays, self._on_unreadable = repeats, replays, on_unreadable
        self._seen = SeenFindings(known)
        self.coverage = Coverage(Schemas(registry), now)
        self._findings: Consumer | None = None
        self._state: Consumer | None = None
        self._state_ends: set[int] = set()
        self._state_partitions: list[TopicPartition] = []
        self._taken: Message | None = None

    def __enter__(self) -> Self:
        self._findings = Consumer({**self._common, "group.id": self._group, "auto.offset.reset": self._start})
        self._findings.subscribe([self._findings_topic])
        self._state = Consumer(
            {**self._common, "group.id": f"{self._group}.coverage", "auto.offset.reset": "earliest", "enable.partition.eof": True}
        )
        try:
            self._assign_state()
            deadline = time.monotonic() + _START_S
            while not self.coverage.is_complete and time.monotonic() < deadline:
                self._follow_coverage(_POLL_S)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Delivery]:
        while True:
            if (delivery := self.poll(_COVERAGE_S)) is not None:
                yield delivery

    def poll(self, seconds: float) -> Delivery | None:
        """Return the next event, None where none came in time. The event before counts as taken."""
        self._commit()
        deadline = time.monotonic() + seconds
        while True:
            self._follow_coverage(0)
            left = deadline - time.monotonic()
            message = self._consumer(self._findings).poll(max(0.0, min(left, _POLL_S)))
            if message is not None and (delivery := self._delivery(message)) is not None:
                return delivery
            if message is None and left <= 0:
                return None

    def close(self) -> None:
        """Commit what was taken, and leave the group."""
        try:
            if self._findings is not None:
                self._commit(wait=True)
        finally:
            for consumer in (self._findings, self._state):
                if consumer is not None:
                    consumer.close()
            self._findings = self._state = None

    def _delivery(self, message: Message) -> Delivery | None:
        if (error := message.error()) is not None:
            raise KafkaException(error)
        self._taken = message
        if not self._replays and any(each[0] == _REPLAYED for each in message.headers() or ()):
            return None
        try:
            finding = msgspec.structs.replace(_decode(message.value() or b""), raw=message.value())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            what = str(error) if isinstance(error, msgspec.ValidationError) else "it is not JSON"
            problem = UnreadableRecord(
                f"{message.topic()} {message.partition()}:{message.offset()} is no event of a finding: {what}"
            )
            if self._on_unreadable is None:
                raise problem from None
            self._on_unreadable(problem)
            return None
        delivery = self._seen.take(finding)
        return delivery if self._repeats or not delivery.is_repeat else None

    def _commit(self, *, wait: bool = False) -> None:
        """Commit behind the last message. A commit that fails is made up for by the next one: an event may then come again."""
        if self._taken is None:
            return
        try:
            if wait:
                self._consumer(self._findings).commit(message=self._taken, asynchronous=False)
            else:
                self._consumer(self._findings).commit(message=self._taken)
        except KafkaException:
            return
        self._taken = None

    def _assign_state(self) -> None:
        consumer = self._consumer(self._state)
        topic = consumer.list_topics(self._state_topic, timeout=_START_S).topics[self._state_topic]
        if topic.error is not None:
            raise SubscriberError(
                f"there is no topic {self._state_topic}; is prefix= right, and was `intercom-streams topics apply` run?"
            )
        self._state_partitions = [TopicPartition(self._state_topic, number, OFFSET_BEGINNING) for number in topic.partitions]
        consumer.assign(self._state_partitions)

    def _follow_coverage(self, seconds: float) -> None:
        """Take all that has arrived of `access.state`, waiting so long for the first."""
        consumer = self._consumer(self._state)
        while (message := consumer.poll(seconds)) is not None:
            seconds = 0
            error = message.error()
            if error is None:
                self.coverage.take(message.key(), message.value())
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's own codes are named so
                self._state_ends.add(message.partition() or 0)
                self.coverage.is_complete = len(self._state_ends) == len(self._state_partitions)

    @staticmethod
    def _consumer(consumer: Consumer | None) -> Consumer:
        if consumer is None:
            raise SubscriberError("the subscriber is not open: use it in a `with` statement")
        return consumer
