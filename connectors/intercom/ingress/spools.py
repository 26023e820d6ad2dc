"""The spools of one process: its own, and those of dead processes until they are empty; all are drained into the same Kafka."""

import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import structlog

from connectors.intercom.ingress.breaker import Breaker
from connectors.intercom.ingress.drainer import Drainer
from connectors.kafka.publisher import Publisher
from connectors.observability.metrics import INGRESS_SPOOL_DAMAGED
from connectors.spool.claims import SpoolClaim, claim_orphans, claim_own, damaged_files
from connectors.spool.spool import Spool, SpoolDamaged, SpoolFailed
from schemas.errors import Unavailable

_SCAN_S: Final = 10.0  # how soon the file of a sibling that died is found

_log = structlog.get_logger(__name__)


class Spools:
    """Opens, drains and closes spools. `own` is the one to append posts to."""

    def __init__(self, folder: Path, *, index: int, max_bytes: int, publisher: Publisher, breaker: Breaker) -> None:
        self._folder = folder
        self._index = index
        self._max_bytes = max_bytes
        self._publisher = publisher
        self._breaker = breaker
        self._tasks: set[asyncio.Task[None]] = set()
        self.own: Spool
        self.adopted: set[Spool] = set()

    @property
    def spools(self) -> tuple[Spool, ...]:
        """All spools that are open here."""
        return (self.own, *self.adopted)

    def damaged_files(self) -> list[Path]:
        """Return the damaged files that an operator has to look at."""
        return damaged_files(self._folder)

    async def open(self) -> None:
        """Open this process' own spool, whatever state its file is in, and start to look for orphans."""
        self._claim = await asyncio.to_thread(claim_own, self._folder, self._index)
        self.own = await self._open_spool(self._claim) or await self._open_spool(self._claim) or self._raise_unusable()
        self._start(self._drain_own())
        self._start(self._adopt_orphans())

    async def close(self) -> None:
        """Stop draining and close every file; records not yet sent are on the disk."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for spool in self.spools:
            await spool.close()
        self._claim.release()

    async def _open_spool(self, claim: SpoolClaim) -> Spool | None:
        """Open a file; move one that is damaged aside, report it and return None."""
        spool = Spool(claim.path, max_bytes=self._max_bytes)
        try:
            await spool.open()
        except SpoolDamaged as error:
            self._move_aside(claim, error)
            return None
        return spool

    def _move_aside(self, claim: SpoolClaim, error: Exception) -> None:
        target = claim.move_aside()
        INGRESS_SPOOL_DAMAGED.inc()
        _log.error("spool damaged", path=str(target), reason=str(error), hint="keep the file: its posts are not in Kafka")

    def _raise_unusable(self) -> Spool:
        raise Unavailable(f"no spool can be opened in {self._folder}; look at the disk")

    async def _drain_own(self) -> None:
        """Drain the own spool until cancelled; if it becomes damaged, retry: the rest of it may be readable later."""
        while True:
            try:
                await self._drainer(self.own).run()
            except SpoolDamaged as error:
                _log.error("spool damaged", path=str(self.own.path), reason=str(error))
                await asyncio.sleep(_SCAN_S)

    def _drainer(self, spool: Spool) -> Drainer:
        return Drainer(spool, self._publisher, self._breaker)

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("spool task ended", exc_info=error)

    async def _adopt_orphans(self) -> None:
        """Adopt the files of dead processes, now and every few seconds."""
        while True:
            for claim in await asyncio.to_thread(lambda: list(claim_orphans(self._folder))):
                _log.info("spool adopted", path=str(claim.path))
                self._start(self._drain_orphan(claim))
            await asyncio.sleep(_SCAN_S)

    async def _drain_orphan(self, claim: SpoolClaim) -> None:
        """Drain the file of a dead process and delete it; move it aside if it has records that cannot be sent."""
        spool = await self._open_spool(claim)
        if spool is None:
            claim.release()
            return
        self.adopted.add(spool)
        failure: Exception | None = None
        try:
            await self._drainer(spool).run(until_empty=True)
            if spool.aside:
                failure = SpoolDamaged(f"{spool.aside} groups of records in it can be neither read nor sent")
        except SpoolDamaged as error:
            failure = error
        self.adopted.discard(spool)
        with contextlib.suppress(SpoolDamaged, SpoolFailed):
            await spool.close()
        if failure is not None:
            self._move_aside(claim, failure)
            claim.release()
        else:
            await asyncio.to_thread(claim.delete)
