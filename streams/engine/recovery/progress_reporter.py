"""Reports about running restorations, to a person and to the log."""

import time
from collections.abc import Callable, Mapping

import structlog

from streams.engine.partition.processor import PartitionProcessor
from streams.engine.recovery.progress import RestoreDone, RestoreProgress, progress
from streams.engine.recovery.restoration import Restoration

log = structlog.get_logger(__name__)

_REPORT_SECONDS = 5.0  # between two reports to a person …
_LOG_SECONDS = 30.0  # … and to the log, which shares the terminal with them


class RestoreReporter:
    """Report the restorations of all running loads together, at intervals."""

    def __init__(self, on_progress: Callable[[RestoreProgress | RestoreDone], None]) -> None:
        self._on_progress = on_progress
        self._restorations: dict[PartitionProcessor, Restoration] = {}
        self._started_at = 0.0
        self._reported_at = 0.0
        self._logged_at = 0.0

    def add(self, restorations: Mapping[PartitionProcessor, Restoration]) -> None:
        """Include restorations that begin now."""
        if not self._restorations:
            self._started_at = self._reported_at = self._logged_at = time.monotonic()
        self._restorations |= restorations

    def discard(self, processor: PartitionProcessor) -> None:
        """Exclude the restoration of a processor, if there is one."""
        self._restorations.pop(processor, None)

    def current(self) -> RestoreProgress | None:
        """Return the progress, or None where nothing is being restored."""
        if not self._restorations:
            return None
        restorations = ((processor.agent.name, restoration) for processor, restoration in self._restorations.items())
        return progress(restorations, time.monotonic() - self._started_at)

    def report(self) -> None:
        """Report the progress if the last report is long enough ago."""
        now = time.monotonic()
        current = self.current()
        if now - self._reported_at < _REPORT_SECONDS or current is None:
            return
        self._reported_at = now
        if now - self._logged_at >= _LOG_SECONDS:
            self._logged_at = now
            for part in (part for part in current.parts if part.read < part.of):
                log.info("restoring tables", agent=part.agent, offsets_read=part.read, offsets=part.of)
        self._on_progress(current)

    def report_done(self, done: RestoreDone) -> None:
        """Report the end of a load, unless it read nothing."""
        if done.records:
            log.info("tables restored", rows=done.rows, records=done.records, seconds=round(done.seconds, 3))
            self._on_progress(done)
