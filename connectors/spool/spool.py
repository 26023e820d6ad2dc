"""Records on this disk until Kafka has them. One thread reads and writes the file, so the event loop never waits for the disk.

The thread gets the appends of an iteration of the loop as one job and commits all in its queue together (group commit). Groups just
committed also stay in memory, up to a limit, so that a drain that keeps up never reads the file.
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

_MAX_APPENDS: Final = 2000  # appends in one commit, about: bounds how long the first of them waits for the last
_COMMIT_INTERVAL_S: Final = 0.008  # under load it makes each group worth its fsync; an idle spool commits at once
_MAX_UNCOMMITTED_BYTES: Final = 64 << 20  # in memory, waiting for the disk
_MAX_CACHED_BYTES: Final = 32 << 20  # in memory although it is on the disk

Callback = Callable[[Exception | None], None]


class SpoolFull(Unavailable):
    """The spool holds as many bytes as it may."""


_Append = tuple[Sequence[OutboundRecord], int, Callback]  # records, their bytes, what to call; a named one costs three times this


class _Appends(NamedTuple):
    appends: list[_Append]


class _Call(NamedTuple):
    function: Callable[[], object]
    result: "asyncio.Future[Any]"


class _Stop(NamedTuple):
    pass


_Job = _Appends | _Call | _Stop
_STOP: Final = _Stop()


class Spool:
    """One spool file and its thread. All methods are for the event loop.

    `bytes` counts what waits in the file or is on its way there; `aside` counts groups that can be neither sent nor read;
    `failing` is the reason why the last commit failed, or empty if it succeeded.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self.path = path
        self.bytes = 0
        self.aside = 0
        self.failing = ""
        self._uncommitted_bytes = 0
        self._cached: dict[int, RecordGroup] = {}
        self._cached_from: int | None = None  # from this id on, every group that waits in the file is in `_cached` too
        self._cached_bytes = 0
        self._last_commit = 0.0
        self._max_bytes = max_bytes
        self._loop = asyncio.get_running_loop()
        self._gathered: list[_Append] = []  # in this iteration of the loop: the thread gets them as one job
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._acknowledged: deque[int] = deque()  # deleted with the next commit; a late deletion only sends a group again
        self._thread = threading.Thread(target=self._work, name=path.name, daemon=True)

    async def open(self) -> None:
        """Open or create the file. Raises `SpoolDamaged` if it is not a spool (any more), `SpoolFailed` if the disk refuses."""
        self._file = await asyncio.to_thread(SpoolFile, self.path)
        self._thread.start()
        self.bytes, self.aside = await self._run_in_thread(lambda: (self._file.waiting_bytes(), self._file.aside_groups()))

    def append(self, records: Sequence[OutboundRecord], done: "Callback") -> None:
        """Call `done(None)` after the fsync of the records, or `done(error)` with `SpoolFull` or `SpoolFailed`."""
        size = records[0].size if len(records) == 1 else sum([record.size for record in records])
        if self.bytes + size > self._max_bytes:
            done(SpoolFull(f"the spool {self.path} holds {self.bytes} bytes and may hold {self._max_bytes}"))
        elif self._uncommitted_bytes + size > _MAX_UNCOMMITTED_BYTES:
            done(SpoolFull(f"the disk of the spool {self.path} is slower than the posts that come in"))
        else:
            self.bytes += size
            self._uncommitted_bytes += size
            if not self._gathered:
                self._loop.call_soon(self._hand_over)
            self._gathered.append((records, size, done))

    async def read(self, after: int, limit_bytes: int) -> list[RecordGroup]:
        """Return groups after that id, in order, up to about `limit_bytes`; at least one if there is one."""
        if self._cached_from is not None and after + 1 >= self._cached_from:
            return self._read_cached(after, limit_bytes)
        result = await self._run_in_thread(lambda: self._file.read(after, limit_bytes))
        if result.damaged_bytes:
            self.bytes -= result.damaged_bytes
            self.aside = await self._run_in_thread(self._file.aside_groups)
        return list(result.groups)

    def acknowledge(self, group: RecordGroup) -> None:
        """Have a group deleted, with the next commit, because Kafka has all its records. Until then `read` may return it."""
        self._acknowledged.append(group.id)
        self.bytes -= group.size
        self._evict(group.id)

    async def replace(self, group: RecordGroup, remaining: Sequence[OutboundRecord], rejected: Sequence[OutboundRecord]) -> None:
        """Replace a group by the `remaining` records; those that Kafka `rejected` are set aside until the file is next opened."""
        self._evict_through(group.id)
        await self._run_in_thread(lambda: self._file.replace(group, remaining, rejected))
        self.bytes -= group.size - sum([record.size for record in remaining])
        self.aside += bool(rejected)

    async def delete_acknowledged(self) -> None:
        """Delete acknowledged groups now, without an append to commit with, and give an empty file's space back."""
        await self._run_in_thread(self._delete_and_shrink)

    async def wipe(self) -> None:
        """Have what was drained leave the file: SQLite keeps the bytes of deleted rows in free pages."""
        await self._run_in_thread(self._delete_and_wipe)

    async def close(self) -> None:
        """Commit what was appended and close the file."""
        if self._thread.is_alive():
            try:
                await self.delete_acknowledged()
            finally:
                self._jobs.put(_STOP)  # behind what was gathered: the loop has run since
                await asyncio.to_thread(self._thread.join)
                await asyncio.to_thread(self._file.close)

    def _hand_over(self) -> None:
        """Give the thread what was gathered."""
        self._jobs.put(_Appends(self._gathered))
        self._gathered = []

    def _read_cached(self, after: int, limit_bytes: int) -> list[RecordGroup]:
        groups: list[RecordGroup] = []
        for group in self._cached.values():
            if limit_bytes <= 0:
                break
            if group.id > after:
                groups.append(group)
                limit_bytes -= group.size
        return groups

    def _cache(self, groups: Sequence[RecordGroup]) -> None:
        """Cache groups that were just committed; beyond the limit, evict the oldest."""
        for group in groups:
            if self._cached_from is None:
                self._cached_from = group.id
            self._cached[group.id] = group
            self._cached_bytes += group.size
        while self._cached_bytes > _MAX_CACHED_BYTES:
            self._evict_through(next(iter(self._cached)))

    def _evict_through(self, number: int) -> None:
        """Have a group, and all before it, read from the file again."""
        self._evict(number)
        self._cached_from = max(self._cached_from or 0, number + 1)

    def _evict(self, number: int) -> None:
        if (group := self._cached.pop(number, None)) is not None:
            self._cached_bytes -= group.size

    async def _run_in_thread(self, function: Callable[[], Any]) -> Any:
        result: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put(_Call(function, result))
        return await result

    def _work(self) -> None:
        """Run in the thread until the stop job: commit all appends in the queue, run calls between commits."""
        jobs: list[_Job] = []
        while _STOP not in jobs:
            jobs = self._next_jobs()
            appends = [append for job in jobs if isinstance(job, _Appends) for append in job.appends]
            if appends:
                self._commit(appends)
            for job in jobs:
                if isinstance(job, _Call):
                    self._run_call(job)

    def _next_jobs(self) -> "list[_Job]":
        """Return all jobs in the queue, at least one. Calls may run late, and appends of one commit are never reordered."""
        jobs = [self._jobs.get()]
        if (pause := self._last_commit + _COMMIT_INTERVAL_S - time.monotonic()) > 0:
            time.sleep(pause)
        self._last_commit = time.monotonic()
        count = _count(jobs[0])
        while count < _MAX_APPENDS:
            try:
                jobs.append(self._jobs.get_nowait())
            except queue.Empty:
                break
            count += _count(jobs[-1])
        return jobs

    def _commit(self, appends: list[_Append]) -> None:
        acknowledged = self._pop_acknowledged()
        try:
            groups = self._file.append([records for records, _, _ in appends], acknowledged)
        except (SpoolFailed, SpoolDamaged) as error:
            self._acknowledged.extend(acknowledged)
            self._call_in_loop(self._on_commit_failed, appends, error)
        else:
            self._call_in_loop(self._on_committed, appends, groups)

    def _run_call(self, call: _Call) -> None:
        try:
            value = call.function()
        except Exception as error:  # noqa: BLE001  # the caller gets it
            self._call_in_loop(_set_exception, call.result, error)
        else:
            self._call_in_loop(_set_result, call.result, value)

    def _delete_and_shrink(self) -> None:
        acknowledged = self._pop_acknowledged()
        if acknowledged:
            self._file.append((), acknowledged)
        self._file.shrink()

    def _delete_and_wipe(self) -> None:
        self._delete_and_shrink()
        self._file.wipe()

    def _pop_acknowledged(self) -> list[int]:
        return [self._acknowledged.popleft() for _ in range(len(self._acknowledged))]

    def _call_in_loop(self, function: Callable[..., None], *values: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *values)

    def _on_committed(self, appends: list[_Append], groups: list[RecordGroup]) -> None:
        self.failing = ""
        self._cache(groups)
        self._uncommitted_bytes -= sum([size for _, size, _ in appends])
        for _, _, done in appends:
            done(None)

    def _on_commit_failed(self, appends: list[_Append], error: Exception) -> None:
        self.failing = str(error)
        size = sum([size for _, size, _ in appends])
        self.bytes -= size
        self._uncommitted_bytes -= size
        for _, _, done in appends:
            done(error)


def _count(job: _Job) -> int:
    return len(job.appends) if isinstance(job, _Appends) else 1


def _set_result(future: "asyncio.Future[Any]", value: object) -> None:
    if not future.done():
        future.set_result(value)


def _set_exception(future: "asyncio.Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
