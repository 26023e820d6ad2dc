"""When pending work may run: behind new records, of its own partition and of the worker's others, and never without end.

A piece of pending work keeps the loop for some milliseconds, and its transaction keeps the partition. So a part ends early where a new record
waits for the partition, and does not begin while another partition has one, which may be on its way here. How long it waits for others is what
the part before took: beside an endless stream of records, pending work has a share of the time, and is never starved.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Final, TypeVar

from streams.engine.limits import Limits
from streams.engine.partition.processor import PartitionProcessor

T = TypeVar("T")

_SWITCH_SECONDS: Final = 0.0005  # a fetch needs the interpreter a dozen times, and waited up to 5 ms for each beside a piece
_LOOK_SECONDS: Final = 0.001
_ROUNDS: Final = 12  # of the loop, until a record that waits in a socket is in a buffer: aiokafka hands it on from task to task
_ROUNDS_A_LOOK: Final = 4  # with a hundred processors a look at all of them takes longer than these rounds


class PendingSchedule:
    """Decides for one processor when a part of its pending work begins and ends."""

    def __init__(self, processor: PartitionProcessor, limits: Limits, clock: Callable[[], float] = time.perf_counter) -> None:
        self._processor = processor
        self._limits = limits
        self._clock = clock
        self._patience = 0.0  # seconds that are left to wait for others
        self._batch_seconds = 0.0  # of the last batch's step

    def observe_batch(self, seconds: float) -> None:
        """Record how long the step of a batch ran: pending work may have the partition as long."""
        self._batch_seconds = seconds

    def observe_part(self, seconds: float) -> None:
        """Record how long a part took, with its transaction: the next one may wait for as long."""
        self._patience = min(seconds, self._limits.step_seconds)

    async def may_begin(self) -> bool:
        """Wait for other partitions' new records to be done; return whether a part may begin, False where records came here meanwhile.

        Records that are here already were left here, for as many pieces of work are pending as may be, or the batch before them has had the partition.
        """
        if self._processor.buffer:
            return True
        while self._patience > 0 and (self._is_awaited_elsewhere() or self._processor.is_expecting(self._clock())):
            began = self._clock()
            await asyncio.sleep(_LOOK_SECONDS)
            self._patience -= self._clock() - began
            if self._processor.buffer:
                return False
        return True

    async def run_pieces(self, do_piece: Callable[[], bool | None], started: float) -> bool | None:
        """Do pieces of the part that began at `started` while it may have another; return what the last one returned, None for a failure."""
        more = _do(do_piece)
        while more and await self.may_continue(started):
            more = _do(do_piece)
        return more

    async def may_continue(self, started: float) -> bool:
        """Return whether the part that began at `started` may have another piece, once those who wait for the loop have had it."""
        if self._clock() - started >= self._limits.part_seconds:
            return False
        for _ in range(_ROUNDS // _ROUNDS_A_LOOK):
            for _ in range(_ROUNDS_A_LOOK):
                await asyncio.sleep(0)
            enough = self._clock() - started >= self._batch_seconds
            if (enough and self._is_awaited_here()) or self._is_awaited_elsewhere():
                return False
        return True

    def _is_awaited_here(self) -> bool:
        return bool(self._processor.buffer) or self._processor.is_expecting(self._clock())

    def _is_awaited_elsewhere(self) -> bool:
        now = self._clock()
        return any(each is not self._processor and each.has_new_records(now) for each in self._processor.siblings)


def _do(piece: Callable[[], T]) -> T:
    """Do a piece, and let other threads of the process have the interpreter sooner than usual meanwhile."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        return piece()
    finally:
        sys.setswitchinterval(before)
