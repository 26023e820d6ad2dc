"""Persists posts: in Kafka while it acknowledges in time, else in the spool; no sender waits for an outage.

All posts that arrive while a round is in flight leave together as the next round. If the oldest post has waited for 250 ms, the
breaker opens and all pending posts go to the spool (their records may reach Kafka too: a record twice is harmless).
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from connectors.intercom.ingress.breaker import PUBLISH_TIMEOUT_S, Breaker
from connectors.kafka.publisher import FailureKind, OutboundRecord, Publisher
from connectors.observability.metrics import INGRESS_PERSISTED
from connectors.spool.spool import Spool
from schemas.errors import Unavailable

_MAX_PENDING_BYTES: Final = 64 << 20  # of posts that one process holds in memory until they are persisted
_ROUND_INTERVAL_S: Final = 0.005  # a round costs as much CPU as ten posts, here and at the broker: under load none may be small
_BUSY_POSTS: Final = 16  # that came during one round: so many say that there is load
_FULL_POSTS: Final = 128  # beyond this a larger round saves little
_CLOSE_POLL_S: Final = 0.01
_RETRY_TIMEOUT_S: Final = 2.0  # for a post that the spool refused; Intercom gives up at 5 s


Callback = Callable[[Exception | None], None]


class _PendingPost:
    """A post that is not persisted yet."""

    __slots__ = ("done", "records", "since", "size", "spooled", "timeout")

    def __init__(self, records: Sequence[OutboundRecord], done: "Callback", since: float) -> None:
        self.records = records
        self.done = done
        self.since = since
        self.timeout = PUBLISH_TIMEOUT_S
        self.size = records[0].size if len(records) == 1 else sum([record.size for record in records])
        self.spooled = False


class CannotPersist(Unavailable):
    """Neither Kafka nor the spool takes a post."""


class DurableWriter:
    """Persists the records of posts and reports when they are persisted."""

    def __init__(self, publisher: Publisher, spool: Spool, breaker: Breaker) -> None:
        self._publisher = publisher
        self._spool = spool
        self._breaker = breaker
        self._loop = asyncio.get_running_loop()
        self._queue: list[_PendingPost] = []
        self._in_flight: list[_PendingPost] = []
        self._pending_bytes = 0
        self._round: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._spooled = 0  # posts that the metric does not count yet
        self._in_kafka = INGRESS_PERSISTED.labels("kafka")
        self._in_spool = INGRESS_PERSISTED.labels("spool")

    def write(self, records: Sequence[OutboundRecord]) -> "asyncio.Future[None]":
        """Return a future that is set once the records are persisted, or fails with `CannotPersist`."""
        future: asyncio.Future[None] = self._loop.create_future()
        self.write_then(records, partial(_resolve, future))
        return future

    def write_then(self, records: Sequence[OutboundRecord], done: Callback) -> None:
        """Call `done(None)` once the records are persisted, or `done(error)` with `CannotPersist`."""
        post = _PendingPost(records, done, self._loop.time())
        if self._breaker.open or self._pending_bytes > _MAX_PENDING_BYTES:
            self._to_spool(post)
        else:
            self._enqueue(post)

    async def close(self) -> None:
        """Wait until every post given to `write` is persisted or refused."""
        while self._queue or self._in_flight:  # noqa: ASYNC110  # once per process; an event would cost every round
            await asyncio.sleep(_CLOSE_POLL_S)
        if self._timer is not None:
            self._timer.cancel()
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)

    def _enqueue(self, post: _PendingPost) -> None:
        self._queue.append(post)
        self._pending_bytes += post.size
        if self._round is None:
            self._round = self._loop.create_task(self._publish_rounds())
        if self._timer is None:
            self._timer = self._loop.call_later(post.timeout, self._check_oldest)

    async def _publish_rounds(self) -> None:
        """Publish the queue, and what was queued meanwhile, until it is empty."""
        while self._queue:
            self._in_flight, self._queue = self._queue, []
            started = self._loop.time()
            try:
                errors = await self._publisher.publish([record for post in self._in_flight for record in post.records])
            except Unavailable:
                self._divert_to_spool()
            else:
                if any(error.kind is FailureKind.KAFKA for error in errors):
                    self._breaker.record_failure()
                else:
                    self._breaker.record_success(self._loop.time() - started)
                self._complete_round({id(error.record) for error in errors})
                await self._wait_for_more(started)
        self._round = None

    async def _wait_for_more(self, started: float) -> None:
        """Under load, let a round begin at least so long after the one before, unless it is large already."""
        remaining = started + _ROUND_INTERVAL_S - self._loop.time()
        if remaining > 0 and _BUSY_POSTS <= len(self._queue) < _FULL_POSTS:
            await asyncio.sleep(remaining)

    def _complete_round(self, failed: set[int]) -> None:
        """Complete posts that are in Kafka; spool the failed records of others. Posts diverted meanwhile are no longer here."""
        posts, self._in_flight = self._in_flight, []
        persisted = 0
        for post in posts:
            self._pending_bytes -= post.size
            unsent = [record for record in post.records if id(record) in failed] if failed else []
            if unsent:
                post.records = unsent
                self._to_spool(post)
            else:
                persisted += 1
                post.done(None)
        self._in_kafka.inc(persisted)

    def _check_oldest(self) -> None:
        """Open the breaker if the oldest post has reached its timeout; else check again when it will have."""
        self._timer = None
        oldest = self._in_flight[0] if self._in_flight else self._queue[0] if self._queue else None
        if oldest is None:
            return
        remaining = oldest.since + oldest.timeout - self._loop.time()
        if remaining > 0:
            self._timer = self._loop.call_later(remaining, self._check_oldest)
        else:
            self._divert_to_spool()

    def _divert_to_spool(self) -> None:
        """Stop waiting for Kafka: open the breaker and send all pending posts to the spool."""
        self._breaker.record_failure()
        posts = [*self._in_flight, *self._queue]
        self._in_flight.clear()
        self._queue.clear()
        for post in posts:
            self._pending_bytes -= post.size
            self._to_spool(post)

    def _to_spool(self, post: _PendingPost) -> None:
        if post.spooled:  # the spool has refused it before, and Kafka was the last resort
            post.done(CannotPersist("Kafka is away and the spool does not take any more"))
        else:
            post.spooled = True
            self._spool.append(post.records, partial(self._on_spooled, post))

    def _on_spooled(self, post: _PendingPost, error: Exception | None) -> None:
        if error is None:
            if not self._spooled:
                self._loop.call_soon(self._count_spooled)
            self._spooled += 1
            post.done(None)
        elif self._pending_bytes > _MAX_PENDING_BYTES:
            post.done(CannotPersist(str(error)))
        else:
            post.since, post.timeout = self._loop.time(), _RETRY_TIMEOUT_S
            self._enqueue(post)

    def _count_spooled(self) -> None:
        """Count the posts of one commit together."""
        self._in_spool.inc(self._spooled)
        self._spooled = 0


def _resolve(future: "asyncio.Future[None]", error: Exception | None) -> None:
    if future.done():  # the caller was cancelled; that changes nothing for the post
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
