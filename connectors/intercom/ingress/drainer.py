"""Empties a spool into Kafka, and by doing so finds out whether Kafka is back.

A group is forgotten only when Kafka has all of it. What cannot be sent now is passed over, so that one missing topic does not hold
up the rest; a record that Kafka will never take goes aside and is reported, never dropped.
"""

import asyncio
from typing import Final

import structlog

from connectors.intercom.ingress.breaker import Breaker
from connectors.kafka.publisher import FailureKind, OutboundRecord, Publisher, PublishError
from connectors.observability.metrics import INGRESS_DRAINED
from connectors.spool.spool import RecordGroup, Spool, SpoolFailed
from schemas.errors import Unavailable

_AT_ONCE_BYTES: Final = 1 << 20
_IDLE_S: Final = 0.05
_BACK_OFF_S: Final = (0.25, 0.5, 1.0)  # a round that fails here delays nobody's answer, only the way back to Kafka

_log = structlog.get_logger(__name__)


class Drainer:
    """Drains one spool."""

    def __init__(self, spool: Spool, outlet: Publisher, breaker: Breaker) -> None:
        self._spool = spool
        self._publisher = outlet
        self._breaker = breaker
        self._failures = 0
        self._after = 0  # the last group that was offered
        self._left_behind = False

    async def run(self, *, until_empty: bool = False) -> None:
        """Drain until cancelled, or until nothing waits any more."""
        used = False
        while True:
            if self._spool.bytes:
                used = True
                pause = _IDLE_S if await self.sweep() else self._back_off()
            else:
                if used:
                    await self._spool.tidy()
                if until_empty:
                    return
                used, pause = False, _IDLE_S
            await asyncio.sleep(pause)

    def _back_off(self) -> float:
        self._failures += 1
        return _BACK_OFF_S[min(self._failures, len(_BACK_OFF_S)) - 1]

    async def sweep(self) -> bool:
        """Offer everything that waits, once; return whether nothing was left behind. Raises `SpoolDamaged`.

        Goes on where the last sweep ended, or begins again at the oldest group if that left something behind; what is settled is
        forgotten before that, so that it is not sent twice.
        """
        clean = True
        try:
            if self._left_behind:
                await self._spool.tidy()
                self._after, self._left_behind = 0, False
            while groups := await self._spool.take(self._after, _AT_ONCE_BYTES):
                self._after, self._left_behind = groups[-1].id, True
                clean = await self._send(groups) and clean
                self._left_behind = not clean
        except Unavailable as error:
            if isinstance(error, SpoolFailed):
                _log.error("spool fails", reason=str(error))
            else:
                self._breaker.late()
            return False
        return clean

    async def _send(self, groups: list[RecordGroup]) -> bool:
        begun = asyncio.get_running_loop().time()
        refused = await self._publisher.publish([record for group in groups for record in group.records])
        if any(refusal.kind is FailureKind.KAFKA for refusal in refused):
            self._breaker.late()
        else:
            self._breaker.returned(asyncio.get_running_loop().time() - begun)
            self._failures = 0
        by_record = {id(refusal.record): refusal for refusal in refused}
        for group in groups:
            await self._settle(group, by_record)
        return not refused

    async def _settle(self, group: RecordGroup, refused: dict[int, PublishError]) -> None:
        found = [refused[id(record)] for record in group.records if id(record) in refused]
        INGRESS_DRAINED.inc(len(group.records) - len(found))
        if not found:
            self._spool.forget(group)
            return
        never = [refusal.record for refusal in found if refusal.kind is FailureKind.RECORD]
        later: list[OutboundRecord] = [refusal.record for refusal in found if refusal.kind is not FailureKind.RECORD]
        if never:
            _log.error("records set aside", count=len(never), reason=found[0].reason, path=str(self._spool.path))
        if len(found) < len(group.records) or never:
            await self._spool.replace(group, later, never)
