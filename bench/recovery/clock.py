"""Measure a restoration in a Faust app, ours or stock, from the same line of Faust until its worker is ready.

The measurement begins when the app gets its partitions (`App._on_partitions_assigned`), so it includes neither the start of the
interpreter nor the join of the group. It ends when the table is restored and events may flow: the engine's `on_ready`, or the
signal `on_rebalance_complete` that stock Faust sends with its "Restore complete!".
"""

import asyncio
import contextlib
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import faust


class Clock:
    """Measure every Faust app of this process. Create the clock before the app starts."""

    def __init__(self) -> None:
        self._assigned = asyncio.Event()
        self._ready = asyncio.Event()
        self._began = self._ended = self._before_mib = 0.0
        every: Any = faust.App  # the signal of an instance is sent later than this method is called
        assigned = every._on_partitions_assigned  # noqa: SLF001  it has no public name

        async def on_assigned(app: Any, partitions: Collection[Any], generation_id: int = 0) -> None:
            if partitions and not self._assigned.is_set():
                self._before_mib, self._began = _resident_mib(), time.monotonic()
                self._assigned.set()
            await assigned(app, partitions, generation_id)

        every._on_partitions_assigned = on_assigned  # noqa: SLF001  likewise; the process ends with the trial

    def ready(self) -> None:
        """Store the time of the first call after the assignment: the table is restored."""
        if self._assigned.is_set() and not self._ready.is_set():
            self._ended = time.monotonic()
            self._ready.set()

    async def wait(self, limit_s: float) -> tuple[float, float]:
        """Wait for the restoration, at most `limit_s` after the assignment; return seconds and growth of the process in MiB."""
        await self._assigned.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), limit_s)
        return (self._ended or time.monotonic()) - self._began, _resident_mib() - self._before_mib


def _resident_mib() -> float:
    """Return the memory in use; 0 if the system does not show it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)
