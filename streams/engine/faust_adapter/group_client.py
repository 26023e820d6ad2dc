"""The client of the group's consumer: it fetches in sessions, and gives up early on brokers that hang.

aiokafka has one time limit for all answers. A group's answer to a join takes as long as its slowest member, so the limit was 40 s, and a broker
that hung was waited for that long by each fetch, each refresh of the metadata and each new connection.
"""

from typing import Any

from aiokafka.client import ConnectionGroup
from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest

from connectors.kafka.clients import ClosingClient
from connectors.kafka.settings import KafkaSettings
from streams.engine.faust_adapter.fetch_session import FetchSessions
from streams.engine.limits import Limits

_METADATA_MAX_AGE_MS = 60_000


class GroupClient(ClosingClient):
    """Replaces the client that aiokafka's consumer has made."""

    def __init__(self, kafka: KafkaSettings, limits: Limits) -> None:
        super().__init__(**kafka.client(), metadata_max_age_ms=_METADATA_MAX_AGE_MS, request_timeout_ms=limits.request_timeout_ms)
        self._usual_seconds = limits.request_timeout_ms / 1000
        self._joining_seconds = (limits.rebalance_timeout_ms + limits.request_timeout_ms) / 1000
        self._sessions = FetchSessions(super().send)

    async def send(self, node_id: Any, request: Any, *, group: Any = ConnectionGroup.DEFAULT) -> Any:
        """Send a request, a fetch within the session with its broker."""
        connection = await self._get_conn(node_id, group=group)
        if connection is not None:  # its limit counts from here on, there is no other await before the request is sent
            joins = isinstance(request, JoinGroupRequest | SyncGroupRequest)
            connection._request_timeout = self._joining_seconds if joins else self._usual_seconds  # noqa: SLF001
        return await self._sessions.send(node_id, request, group=group)
