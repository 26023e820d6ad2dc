"""Records on this disk until Kafka has them. One thread speaks to the file, so that no disk ever holds up the event loop.

Appends that wait when the thread comes round are committed together (group commit): the more there are, the less each costs. What was
just committed is held in memory too, up to a limit, so that a drain that keeps up never reads the file.
"""

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from connectors.kafka.publisher import OutboundRecord
from connectors.spool.file import RecordGroup, SpoolDamaged, SpoolFailed, SpoolFile
from schemas.errors import Unavailable

__all__ = ["RecordGroup", "Spool", "SpoolDamaged", "SpoolFailed", "SpoolFull"]

_AT_ONCE: Final = 2000  # appends in one commit: bounds how long the first of them waits for the last
_PACE_S: Final = 0.008  # between two commits: under load it makes groups worth their fsync, an idle spool commits at once
_MOST_ENTERING_BYTES: Final = 64 << 20  # in memory, waiting for the disk
_MOST_FRESH_BYTES: Final = 32 << 20  # in memory although it is on the disk

Done = Callable[[Exception | None], None]


class SpoolFull(Unavailable):
    """Say that the spool holds as many bytes as it may."""


class _Append(NamedTuple):
    records: Sequence[OutboundRecord]
    size: int
    done: "Done"


class _Question(NamedTuple):
    ask: Callable[[], object]
    answer: "asyncio.Future[Any]"


class _Stop(NamedTuple):
    pass


_Job = _Append | _Question | _Stop
_STOP: Final = _Stop()


class Spool:
    """One spool file and its thread. All methods are for the event loop.

    `bytes` is what waits in the file or is on its way there; `aside` counts groups that can be neither sent nor read; `failing` is
    why the last commit failed, empty when it did not.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self.path = path
        self.bytes = 0
        self.aside = 0
        self.failing = ""
        self._entering = 0
        self._fresh: dict[int, RecordGroup] = {}
        self._fresh_from: int | None = None  # of this id and above, every group that waits in the file is in `_fresh`
        self._fresh_bytes = 0
        self._last = 0.0
        self._max_bytes = max_bytes
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._settled: deque[int] = deque()  # to be forgotten with the next commit; forgetting one late only sends it again
        self._thread = threading.Thread(target=self._work, name=path.name, daemon=True)

    async def open(self) -> None:
        """Open or make the file. Raises `SpoolDamaged` where it is no spool (any more), `SpoolFailed` where the disk refuses."""
        self._file = await asyncio.to_thread(SpoolFile, self.path)
        self._thread.start()
        self.bytes, self.aside = await self._ask(lambda: (self._file.waiting(), self._file.aside()))

    def append(self, records: Sequence[OutboundRecord], done: "Done") -> None:
        """Call `done(None)` once the records are fsynced, or `done(error)` with `SpoolFull` or `SpoolFailed`."""
        size = sum([record.size for record in records])
        if self.bytes + size > self._max_bytes:
            done(SpoolFull(f"the spool {self.path} holds {self.bytes} bytes and may hold {self._max_bytes}"))
        elif self._entering + size > _MOST_ENTERING_BYTES:
            done(SpoolFull(f"the disk of the spool {self.path} is slower than the posts that come in"))
        else:
            self.bytes += size
            self._entering += size
            self._jobs.put(_Append(records, size, done))

    async def take(self, after: int, limit_bytes: int) -> list[RecordGroup]:
        """Return groups after that id, in order, at least one where there is one, up to about `limit_bytes`."""
        if self._fresh_from is not None and after + 1 >= self._fresh_from:
            return self._take_fresh(after, limit_bytes)
        found = await self._ask(lambda: self._file.take(after, limit_bytes))
        if found.damaged:
            self.bytes -= found.damaged
            self.aside = await self._ask(self._file.aside)
        return list(found.groups)

    def forget(self, group: RecordGroup) -> None:
        """Forget a group whose records are all kept elsewhere: with the next commit or `tidy`. Until then it can be taken again."""
        self._settled.append(group.id)
        self.bytes -= group.size
        self._drop(group.id)

    async def replace(self, group: RecordGroup, left: Sequence[OutboundRecord], refused: Sequence[OutboundRecord]) -> None:
        """Keep of a group what is `left` to send; what Kafka `refused` goes aside until the file is opened next."""
        self._read_again(group.id)
        await self._ask(lambda: self._file.replace(group, left, refused))
        self.bytes -= group.size - sum([record.size for record in left])
        self.aside += bool(refused)

    async def tidy(self) -> None:
        """Forget what was settled and give space back, when there is time for it."""
        await self._ask(self._tidy)

    async def close(self) -> None:
        """Finish what was appended and close the file."""
        if self._thread.is_alive():
            try:
                await self.tidy()
            finally:
                self._jobs.put(_STOP)
                await asyncio.to_thread(self._thread.join)
                await asyncio.to_thread(self._file.close)

    def _take_fresh(self, after: int, limit_bytes: int) -> list[RecordGroup]:
        found: list[RecordGroup] = []
        for group in self._fresh.values():
            if limit_bytes <= 0:
                break
            if group.id > after:
                found.append(group)
                limit_bytes -= group.size
        return found

    def _hold(self, groups: Sequence[RecordGroup]) -> None:
        """Hold what was just committed; beyond the limit, leave the oldest to the file."""
        for group in groups:
            if self._fresh_from is None:
                self._fresh_from = group.id
            self._fresh[group.id] = group
            self._fresh_bytes += group.size
        while self._fresh_bytes > _MOST_FRESH_BYTES:
            self._read_again(next(iter(self._fresh)))

    def _read_again(self, number: int) -> None:
        """Leave a group, and those before it, to be read from the file."""
        self._drop(number)
        self._fresh_from = max(self._fresh_from or 0, number + 1)

    def _drop(self, number: int) -> None:
        if (group := self._fresh.pop(number, None)) is not None:
            self._fresh_bytes -= group.size

    async def _ask(self, ask: Callable[[], Any]) -> Any:
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put(_Question(ask, answer))
        return await answer

    def _work(self) -> None:
        """Run in the thread until told to stop: commit all appends that wait, answer questions between commits."""
        jobs: list[_Job] = []
        while _STOP not in jobs:
            jobs = self._waiting()
            appends = [job for job in jobs if isinstance(job, _Append)]
            if appends:
                self._commit(appends)
            for job in jobs:
                if isinstance(job, _Question):
                    self._answer(job)

    def _waiting(self) -> "list[_Job]":
        """Return all jobs that wait, at least one. Questions may be answered late, and commits of one round never reordered."""
        jobs = [self._jobs.get()]
        if (pause := self._last + _PACE_S - time.monotonic()) > 0:
            time.sleep(pause)
        self._last = time.monotonic()
        while len(jobs) < _AT_ONCE:
            try:
                jobs.append(self._jobs.get_nowait())
            except queue.Empty:
                break
        return jobs

    def _commit(self, appends: list[_Append]) -> None:
        settled = [self._settled.popleft() for _ in range(len(self._settled))]
        try:
            groups = self._file.append([append.records for append in appends], settled)
        except (SpoolFailed, SpoolDamaged) as error:
            self._settled.extend(settled)
            self._notify(self._failed, appends, error)
        else:
            self._notify(self._kept, appends, groups)

    def _answer(self, question: _Question) -> None:
        try:
            answer = question.ask()
        except Exception as error:  # noqa: BLE001  # whoever asked gets it
            self._notify(_fail, question.answer, error)
        else:
            self._notify(_resolve, question.answer, answer)

    def _tidy(self) -> None:
        settled = [self._settled.popleft() for _ in range(len(self._settled))]
        if settled:
            self._file.append((), settled)
        self._file.shrink()

    def _notify(self, what: Callable[..., None], *values: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *values)

    def _kept(self, appends: list[_Append], groups: list[RecordGroup]) -> None:
        self.failing = ""
        self._hold(groups)
        for append in appends:
            self._entering -= append.size
            append.done(None)

    def _failed(self, appends: list[_Append], error: Exception) -> None:
        self.failing = str(error)
        for append in appends:
            self.bytes -= append.size
            self._entering -= append.size
            append.done(error)


def _resolve(answer: "asyncio.Future[Any]", value: object) -> None:
    if not answer.done():
        answer.set_result(value)


def _fail(answer: "asyncio.Future[Any]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
