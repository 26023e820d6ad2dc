"""Empties a spool into Kafka, and thereby finds out whether Kafka is back.

A group is deleted only when Kafka has all of it. A record that cannot be sent now is skipped, so that one missing topic does not
delay the others; a record that Kafka will never accept is set aside and reported, never dropped.
"""

import asyncio
from typing import Final

import structlog

from connectors.intercom.ingress.breaker import Breaker
from connectors.kafka.publisher import FailureKind, OutboundRecord, Publisher, PublishError
from connectors.observability.metrics import INGRESS_DRAINED
from connectors.spool.spool import RecordGroup, Spool, SpoolFailed
from schemas.errors import Unavailable

_BATCH_BYTES: Final = 1 << 20
_IDLE_S: Final = 0.05
_WIPE_EVERY_S: Final = 3600.0  # drained posts may hold what was erased since; the receipts of erasures name this time
_WIPE_BYTES: Final = 4 << 20  # that wait meanwhile: a wipe rewrites them, in which time posts wait
_BACK_OFF_S: Final = (0.25, 0.5, 1.0)  # a failed round here delays no answer to a sender, only the return to Kafka

_log = structlog.get_logger(__name__)


class Drainer:
    """Drains one spool."""

    def __init__(self, spool: Spool, publisher: Publisher, breaker: Breaker) -> None:
        self._spool = spool
        self._publisher = publisher
        self._breaker = breaker
        self._failures = 0
        self._cursor = 0  # id of the last group that was published or skipped
        self._incomplete = False
        self._used = True  # by the process before, perhaps
        self._wiped = float("-inf")

    async def run(self, *, until_empty: bool = False) -> None:
        """Drain until cancelled, or until the spool is empty."""
        used = False
        while True:
            if self._spool.bytes:
                used = self._used = True
                pause = _IDLE_S if await self.sweep() else self._back_off()
            else:
                if used:
                    await self._spool.delete_acknowledged()
                if until_empty:
                    return
                used, pause = False, _IDLE_S
            await self._wipe_if_due()
            await asyncio.sleep(pause)

    async def _wipe_if_due(self) -> None:
        """Have what was drained leave the file, an hour after the last time, if anything was and little waits."""
        now = asyncio.get_running_loop().time()
        if self._used and now - self._wiped >= _WIPE_EVERY_S and self._spool.bytes <= _WIPE_BYTES:
            try:
                await self._spool.wipe()
            except SpoolFailed as error:
                _log.error("spool fails", reason=str(error))
            self._wiped, self._used = now, bool(self._spool.bytes)

    def _back_off(self) -> float:
        self._failures += 1
        return _BACK_OFF_S[min(self._failures, len(_BACK_OFF_S)) - 1]

    async def sweep(self) -> bool:
        """Publish every waiting group once; return whether all of them are in Kafka. Raises `SpoolDamaged`.

        Continues after the last group of the previous sweep, or at the oldest group if that sweep was incomplete. Before such a
        restart it deletes acknowledged groups, so that they are not sent twice.
        """
        complete = True
        try:
            if self._incomplete:
                await self._spool.delete_acknowledged()
                self._cursor, self._incomplete = 0, False
            while groups := await self._spool.read(self._cursor, _BATCH_BYTES):
                self._cursor, self._incomplete = groups[-1].id, True
                complete = await self._send(groups) and complete
                self._incomplete = not complete
        except Unavailable as error:
            if isinstance(error, SpoolFailed):
                _log.error("spool fails", reason=str(error))
            else:
                self._breaker.record_failure()
            return False
        return complete

    async def _send(self, groups: list[RecordGroup]) -> bool:
        started = asyncio.get_running_loop().time()
        errors = await self._publisher.publish([record for group in groups for record in group.records])
        if any(error.kind is FailureKind.KAFKA for error in errors):
            self._breaker.record_failure()
        else:
            self._breaker.record_success(asyncio.get_running_loop().time() - started)
            self._failures = 0
        if not errors:
            INGRESS_DRAINED.inc(sum([len(group.records) for group in groups]))
            for group in groups:
                self._spool.acknowledge(group)
            return True
        by_record = {id(error.record): error for error in errors}
        for group in groups:
            await self._settle(group, by_record)
        return False

    async def _settle(self, group: RecordGroup, errors_by_record: dict[int, PublishError]) -> None:
        errors = [errors_by_record[id(record)] for record in group.records if id(record) in errors_by_record]
        INGRESS_DRAINED.inc(len(group.records) - len(errors))
        if not errors:
            self._spool.acknowledge(group)
            return
        rejected = [error.record for error in errors if error.kind is FailureKind.RECORD]
        remaining: list[OutboundRecord] = [error.record for error in errors if error.kind is not FailureKind.RECORD]
        if rejected:
            _log.error("records set aside", count=len(rejected), reason=errors[0].reason, path=str(self._spool.path))
        if len(errors) < len(group.records) or rejected:
            await self._spool.replace(group, remaining, rejected)
