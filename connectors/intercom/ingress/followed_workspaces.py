"""Which workspaces are not active, as the topic `workspaces` has it: followed while Kafka answers, remembered beside the spool for starts without it."""

import asyncio
import os
from pathlib import Path
from typing import Final

import msgspec
import structlog
from aiokafka.errors import KafkaError

from connectors.kafka import schema_registry
from connectors.kafka.clients import Consumer
from connectors.kafka.ranges import partitions_of
from connectors.kafka.settings import KafkaSettings
from schemas.errors import IntercomStreamsError, InvalidRecord
from schemas.workspaces import TOPIC, WorkspaceStatus, decode

_log = structlog.get_logger(__name__)
_FILE: Final = "workspaces.json"
_POLL_MS: Final = 500
_RETRY_S: Final = 2.0


class FollowedWorkspaces:
    """`inactive` has the workspaces that are not active by their ids, and changes in place."""

    def __init__(self, kafka: KafkaSettings, registry_url: str, folder: Path) -> None:
        self._kafka = kafka
        self._registry_url = registry_url
        self._file = folder / _FILE
        self.inactive: dict[str, WorkspaceStatus] = self._remembered()

    async def follow(self) -> None:
        """Follow until cancelled. Kafka or the topic may be away: what is known then holds."""
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError, IntercomStreamsError) as error:
                _log.info("the states of workspaces cannot be followed", error=type(error).__name__)
            await asyncio.sleep(_RETRY_S)

    async def _follow(self) -> None:
        avro = await schema_registry.codec(self._registry_url, self._kafka.topic_prefix)
        consumer = Consumer(self._kafka, enable_auto_commit=False, auto_offset_reset="earliest", isolation_level="read_committed")
        try:
            await consumer.start()
            partitions = await partitions_of(consumer, self._kafka.topic(TOPIC))
            if not partitions:
                return
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            while True:
                for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                    for record in records:
                        self._apply(record.key, None if record.value is None else decode(avro, record.value).state)
        except InvalidRecord as error:
            _log.warning("a state of a workspace cannot be read", reason=str(error))
        finally:
            await consumer.stop()

    def _apply(self, key: bytes, state: WorkspaceStatus | None) -> None:
        app_id = key.decode()
        if state in (None, WorkspaceStatus.ACTIVE):
            known = self.inactive.pop(app_id, None)
        else:
            known, self.inactive[app_id] = self.inactive.get(app_id), state
        if known is not self.inactive.get(app_id):
            _log.info("a workspace has another state", app_id=app_id, status=state or WorkspaceStatus.ACTIVE)
            self._remember()

    def _remember(self) -> None:
        part = self._file.with_suffix(f".{os.getpid()}")
        part.write_bytes(msgspec.json.encode(self.inactive))
        part.replace(self._file)

    def _remembered(self) -> dict[str, WorkspaceStatus]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, WorkspaceStatus])
        except (OSError, msgspec.DecodeError):
            return {}
