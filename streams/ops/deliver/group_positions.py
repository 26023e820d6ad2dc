"""Where a consumer group stands in each of its partitions, with what is done out of order."""

from typing import Any, Final

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.settings import KafkaSettings
from connectors.observability import metrics
from schemas.webhooks.posted import SOURCE, since_ms
from streams.ops.deliver.progress import PartitionProgress, decoded

log = structlog.get_logger(__name__)
_MOST_OPEN: Final = 500  # events of a partition that are read and not accepted: bounds memory


class GroupPositions:
    """The progress of each partition that this process has; `label` names the endpoint in logs and metrics."""

    def __init__(self, kafka: KafkaSettings, label: str, group: str, since: str) -> None:
        self._kafka, self._label, self._group, self._since = kafka, label, group, since
        self.progress: dict[TopicPartition, PartitionProgress] = {}
        self._committed: dict[TopicPartition, tuple[int, str]] = {}
        self.failing_since: int | None = None  # nothing was accepted since (seconds since 1970), as far as is known

    def clear(self) -> None:
        """Forget all: the partitions are somebody else's."""
        self.progress.clear()
        self._committed.clear()

    def forget_failures(self) -> None:
        """Let what fails from now on have failed for the first time."""
        self.failing_since = None
        for progress in self.progress.values():
            progress.forget_failures()

    async def place(self, consumer: Any, admin: Any, resumed_at: int) -> None:
        """Begin newly assigned partitions where the group left off, or at `since`. What failed before `resumed_at` (seconds) is forgotten."""
        fresh = sorted(consumer.assignment() - self.progress.keys())
        if not fresh:
            return
        committed = await admin.list_consumer_group_offsets(self._group, partitions=fresh)
        starts, ends = await consumer.beginning_offsets(fresh), await consumer.end_offsets(fresh)
        for each in fresh:
            found = committed.get(each)
            at, done = (found.offset, found.metadata) if found is not None else (-1, "")
            if at > ends[each]:
                log.error(
                    "a topic is not the one that was read before; it is read from `since`", endpoint=self._label, topic=each.topic
                )
                at, done = -1, ""
            if at < 0:
                at = await self._first(consumer, each, starts[each], ends[each])
            if at < starts[each]:
                log.error(
                    "events were deleted before they were delivered",
                    endpoint=self._label,
                    partition=each.partition,
                    offsets=starts[each] - at,
                )
                metrics.EVENTS_MISSED.labels(self._label).inc(starts[each] - at)
                at, done = starts[each], ""
            if each in consumer.assignment():
                consumer.seek(each, at)
                self.progress[each] = self._from(at, done, resumed_at)

    def _from(self, at: int, text: str, resumed_at: int) -> PartitionProgress:
        stored = decoded(at, text)
        failed = {offset: time for offset, time in stored.failed.items() if time >= resumed_at}
        since = stored.failing_since
        if since is not None and since >= resumed_at and self.failing_since is None:
            self.failing_since = since
        return PartitionProgress(at, stored._replace(failed=failed))

    async def _first(self, consumer: Any, partition: TopicPartition, start: int, end: int) -> int:
        if not self._since or partition.topic != self._kafka.topic(SOURCE):
            return start
        ms = since_ms(self._since)
        found = (await consumer.offsets_for_times({partition: ms})).get(partition)
        return end if found is None else int(found.offset)

    async def note(self, consumer: Any) -> None:
        """Note how far has been read: all that was fetched until then is begun."""
        for partition, progress in list(self.progress.items()):
            if partition in consumer.assignment():
                progress.position = max(progress.position, await consumer.position(partition))

    def fetch_where_there_is_room(self, consumer: Any) -> None:
        """Fetch only what there is room for; a paused partition keeps its place in the group."""
        owned = consumer.assignment()
        full = {
            each for each, progress in self.progress.items()
            if each in owned and (progress.open >= _MOST_OPEN or not progress.has_room)
        }  # fmt: skip
        paused = consumer.paused()
        if full - paused:
            consumer.pause(*(full - paused))
        if free := (paused & owned) - full:
            consumer.resume(*free)

    async def commit(self, consumer: Any) -> None:
        """Commit what has changed."""
        owned = consumer.assignment()
        positions = {each: progress.commit(self.failing_since) for each, progress in self.progress.items() if each in owned}
        changed = {each: at for each, at in positions.items() if self._committed.get(each) != at}
        if not changed:
            return
        try:
            await consumer.commit(changed)
        except KafkaError as error:  # the group moves, or a broker is away: the next commit has all of it
            log.info("positions not committed", endpoint=self._label, reason=type(error).__name__)
            return
        self._committed.update(changed)
