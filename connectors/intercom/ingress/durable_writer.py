"""Keeps posts: in Kafka while it answers in time, else in the spool, and never leaves anybody waiting.

Everything that arrived while the last round was in flight goes out together as the next round. If the oldest post has waited for
250 ms, the breaker opens and all that wait go to the spool (their records may reach Kafka too: a record twice is harmless).
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from connectors.intercom.ingress.breaker import PATIENCE_S, Breaker
from connectors.kafka.publisher import FailureKind, OutboundRecord, Publisher
from connectors.observability.metrics import INGRESS_PERSISTED
from connectors.spool.spool import Spool
from schemas.errors import Unavailable

_MOST_WAITING_BYTES: Final = 64 << 20  # what one process holds in memory of posts not kept yet
_CLOSING_LOOK_S: Final = 0.01
_LAST_RESORT_S: Final = 2.0  # for a post that the spool refused; Intercom gives up at 5 s


Done = Callable[[Exception | None], None]


class _PendingPost:
    """A post that is not kept yet."""

    __slots__ = ("done", "patience", "records", "since", "size", "spooled")

    def __init__(self, records: Sequence[OutboundRecord], done: "Done", since: float) -> None:
        self.records = records
        self.done = done
        self.since = since
        self.patience = PATIENCE_S
        self.size = records[0].size if len(records) == 1 else sum([record.size for record in records])
        self.spooled = False


class CannotPersist(Unavailable):
    """Say that neither Kafka nor the spool takes a post."""


class DurableWriter:
    """Keeps the records of posts and tells when they are kept."""

    def __init__(self, outlet: Publisher, spool: Spool, breaker: Breaker) -> None:
        self._publisher = outlet
        self._spool = spool
        self._breaker = breaker
        self._loop = asyncio.get_running_loop()
        self._queue: list[_PendingPost] = []
        self._flying: list[_PendingPost] = []
        self._waiting_bytes = 0
        self._round: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._in_kafka = INGRESS_PERSISTED.labels("kafka")
        self._in_spool = INGRESS_PERSISTED.labels("spool")

    def write(self, records: Sequence[OutboundRecord]) -> "asyncio.Future[None]":
        """Return a future that is set once the records are kept, or fails with `CannotPersist`."""
        kept: asyncio.Future[None] = self._loop.create_future()
        self.write_then(records, partial(_resolve, kept))
        return kept

    def write_then(self, records: Sequence[OutboundRecord], done: Done) -> None:
        """Call `done(None)` once the records are kept, or `done(error)` with `CannotPersist`."""
        post = _PendingPost(records, done, self._loop.time())
        if self._breaker.open or self._waiting_bytes > _MOST_WAITING_BYTES:
            self._to_spool(post)
        else:
            self._to_round(post)

    async def close(self) -> None:
        """Wait until everything given to `keep` is kept or refused."""
        while self._queue or self._flying:  # noqa: ASYNC110  # once in a life; an event would cost every round
            await asyncio.sleep(_CLOSING_LOOK_S)
        if self._watch is not None:
            self._watch.cancel()
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)

    def _to_round(self, post: _PendingPost) -> None:
        self._queue.append(post)
        self._waiting_bytes += post.size
        if self._round is None:
            self._round = self._loop.create_task(self._rounds())
        if self._watch is None:
            self._watch = self._loop.call_later(post.patience, self._look)

    async def _rounds(self) -> None:
        """Send what waits, and what came meanwhile, until nothing waits."""
        while self._queue:
            self._flying, self._queue = self._queue, []
            begun = self._loop.time()
            try:
                refused = await self._publisher.publish([record for post in self._flying for record in post.records])
            except Unavailable:
                self._give_up()
            else:
                if any(refusal.kind is FailureKind.KAFKA for refusal in refused):
                    self._breaker.late()
                else:
                    self._breaker.returned(self._loop.time() - begun)
                self._settle({id(refusal.record) for refusal in refused})
        self._round = None

    def _settle(self, refused: set[int]) -> None:
        """Answer for what a round kept; spool what it did not. Posts that were given to the spool meanwhile are no longer here."""
        flown, self._flying = self._flying, []
        kept = 0
        for post in flown:
            self._waiting_bytes -= post.size
            left = [record for record in post.records if id(record) in refused] if refused else []
            if left:
                post.records = left
                self._to_spool(post)
            else:
                kept += 1
                post.done(None)
        self._in_kafka.inc(kept)

    def _look(self) -> None:
        """Open the breaker if the oldest post has waited too long; else look again when it will have."""
        self._watch = None
        oldest = self._flying[0] if self._flying else self._queue[0] if self._queue else None
        if oldest is None:
            return
        left = oldest.since + oldest.patience - self._loop.time()
        if left > 0:
            self._watch = self._loop.call_later(left, self._look)
        else:
            self._give_up()

    def _give_up(self) -> None:
        """Stop waiting for Kafka: everything that waits goes to the spool."""
        self._breaker.late()
        posts = [*self._flying, *self._queue]
        self._flying.clear()
        self._queue.clear()
        for post in posts:
            self._waiting_bytes -= post.size
            self._to_spool(post)

    def _to_spool(self, post: _PendingPost) -> None:
        if post.spooled:  # it was there already, and refused: Kafka was the last resort
            post.done(CannotPersist("Kafka is away and the spool does not take any more"))
        else:
            post.spooled = True
            self._spool.append(post.records, partial(self._on_spooled, post))

    def _on_spooled(self, post: _PendingPost, error: Exception | None) -> None:
        if error is None:
            self._in_spool.inc()
            post.done(None)
        elif self._waiting_bytes > _MOST_WAITING_BYTES:
            post.done(CannotPersist(str(error)))
        else:
            post.since, post.patience = self._loop.time(), _LAST_RESORT_S
            self._to_round(post)


def _resolve(kept: "asyncio.Future[None]", error: Exception | None) -> None:
    if kept.done():  # whoever asked has gone; the post is kept, or not, all the same
        return
    if error is None:
        kept.set_result(None)
    else:
        kept.set_exception(error)
