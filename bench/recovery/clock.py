"""Time a restoration in a Faust app, ours or stock, from the same line of Faust to the moment when its worker is ready.

It begins when the group has given the app its partitions (`App._on_partitions_assigned`): no start of an interpreter and no joining of
a group is in it. It ends when the side says that its table is restored and events may flow: the engine's `on_ready`, and the signal
`on_rebalance_complete` that stock Faust sends with its "Restore complete!".
"""

import asyncio
import contextlib
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import faust


class Clock:
    """Watch every Faust app of this process, from its creation on. Create it before the app starts."""

    def __init__(self) -> None:
        self._assigned = asyncio.Event()
        self._ready = asyncio.Event()
        self._began = self._ended = self._before_mib = 0.0
        every: Any = faust.App  # the signal of an instance would come later than this line
        assigned = every._on_partitions_assigned  # noqa: SLF001  it has no public name

        async def on_assigned(app: Any, partitions: Collection[Any], generation_id: int = 0) -> None:
            if partitions and not self._assigned.is_set():
                self._before_mib, self._began = _resident_mib(), time.monotonic()
                self._assigned.set()
            await assigned(app, partitions, generation_id)

        every._on_partitions_assigned = on_assigned  # noqa: SLF001  likewise; the process ends with the trial

    def ready(self) -> None:
        """Take note that the table is restored, the first time after the assignment."""
        if self._assigned.is_set() and not self._ready.is_set():
            self._ended = time.monotonic()
            self._ready.set()

    async def stopped(self, limit_s: float) -> tuple[float, float]:
        """Return the seconds it took and the MiB the process grew by, at most `limit_s` after the assignment or when that has passed."""
        await self._assigned.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), limit_s)
        return (self._ended or time.monotonic()) - self._began, _resident_mib() - self._before_mib


def _resident_mib() -> float:
    """Return the memory in use; 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)
