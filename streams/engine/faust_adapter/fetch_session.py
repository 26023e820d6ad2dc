"""Incremental fetch sessions (KIP-227), which aiokafka's consumer does not have.

Without a session each fetch names all partitions of the consumer, and so does each answer: with 64 partitions and the product's agents
some 450, which cost 6 ms of CPU a fetch although almost nothing changes between two. In a session the broker knows what was asked
for: a request names the partitions whose position has changed, an answer those that have something new.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import structlog
from aiokafka.protocol.fetch import FetchRequest

log = structlog.get_logger(__name__)

_FETCH_SESSION_ID_NOT_FOUND = 70  # the broker keeps a limited number of sessions
_SESSIONS_SINCE = 7  # the version of the request that has them
_LAST_EPOCH = 2**31 - 1

FetchPartition = tuple[str, int]
"""A broker topic and a partition."""

FetchFrom = tuple[int, int]
"""The offset to fetch from, and the most bytes."""


class SessionFetchRequest(FetchRequest):  # type: ignore[misc]  # aiokafka has no types
    """A fetch request within a session."""

    def __init__(
        self,
        full: FetchRequest,
        *,
        session: tuple[int, int],
        changed: Mapping[FetchPartition, FetchFrom],
        forgotten: Collection[FetchPartition],
    ) -> None:
        self._full = full
        super().__init__(
            full._max_wait_ms,  # noqa: SLF001
            full._min_bytes,  # noqa: SLF001
            full._max_bytes,  # noqa: SLF001
            full._isolation_level,  # noqa: SLF001
            _by_topic({place: (place[1], *start) for place, start in changed.items()}),
            full._rack_id,  # noqa: SLF001
        )
        self._session = session
        self._forgotten = _by_topic({place: place[1] for place in forgotten})

    def build(self, request_struct_class: Any) -> Any:
        """Return the request in the version of the broker; the whole one where there are no sessions."""
        if request_struct_class.API_VERSION < _SESSIONS_SINCE:
            return self._full.build(request_struct_class)
        struct = super().build(request_struct_class)
        struct.session_id, struct.session_epoch = self._session
        struct.forgotten_topics_data = self._forgotten
        return struct


class FetchSession:
    """The session with one broker. One request at a time, under `lock`: what has changed is relative to what the broker has taken.

    aiokafka itself may begin a fetch before the last one has ended, when partitions are assigned.
    """

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self._id = 0  # none yet
        self._epoch = 0  # begin a session, and end that of `_id`
        self._asked: Mapping[FetchPartition, FetchFrom] = {}

    def request(self, full: FetchRequest) -> SessionFetchRequest:
        """Return the request for what `full` asks for."""
        wanted = {(topic, number): (offset, size) for topic, partitions in full.topics for number, offset, size in partitions}
        known = self._asked if self._epoch else {}
        self._asked = wanted
        return SessionFetchRequest(
            full,
            session=(self._id, self._epoch),
            changed={place: start for place, start in wanted.items() if known.get(place) != start},
            forgotten=known.keys() - wanted.keys(),
        )

    def answered(self, response: Any) -> None:
        """Continue the session, or begin another one where the broker has ended or refused this one."""
        error, number = getattr(response, "error_code", 0), getattr(response, "session_id", 0)
        if error or not number:
            self.restart()
            if error in (0, _FETCH_SESSION_ID_NOT_FOUND):
                self._id = 0
        else:
            self._id, self._epoch = number, self._epoch % _LAST_EPOCH + 1

    def unasked(self, response: Any) -> bool:
        """Say whether the answer has a partition that was not asked for: then the broker's session is not the one we know."""
        return any((topic, each[0]) not in self._asked for topic, partitions in response.topics for each in partitions)

    def restart(self) -> None:
        """Ask for everything next time: whether the broker has counted the last request is unknown."""
        self._epoch = 0


class FetchSessions:
    """Send what a consumer's client sends, fetches in a session for each broker."""

    def __init__(self, send: Callable[..., Awaitable[Any]]) -> None:
        self._send = send
        self._sessions: dict[Any, FetchSession] = defaultdict(FetchSession)

    async def send(self, node_id: Any, request: Any, **options: Any) -> Any:
        """Replace `aiokafka.client.AIOKafkaClient.send`."""
        if not isinstance(request, FetchRequest):
            return await self._send(node_id, request, **options)
        session = self._sessions[node_id]
        async with session.lock:
            try:
                response = await self._send(node_id, session.request(request), **options)
            except BaseException:  # a cancelled one too
                session.restart()
                raise
            session.answered(response)
            if session.unasked(response):
                log.error("a fetch session differs from the broker's, and begins again")
                session.restart()
                response.topics = []
            return response


def _by_topic(items: Mapping[FetchPartition, Any]) -> list[tuple[str, list[Any]]]:
    topics: dict[str, list[Any]] = defaultdict(list)
    for (topic, _), item in items.items():
        topics[topic].append(item)
    return list(topics.items())
