"""The pages of one listing, read side by side, while those that are there already are stored together.

Reading does not wait for a store, so a page costs the longer of the two. A store waits until there are several pages, since a transaction costs as much
for one, but for no more than are under way: a listing that is read page after page is stored so. What remains at any moment is in each store: the requests under way, those to
come, and those whose pages are read and not stored yet.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Final, NamedTuple

from connectors.intercom.rest.client import ListingWalk
from connectors.intercom.rest.paging import Page
from connectors.intercom.rest.requests import RestRequest
from schemas.json_lines import json_line
from streams.ops.backfill.objects import PageRecords

HELD: Final = 2  # so many times the pages that are read at a time are read again after a kill


class ReadPage(NamedTuple):
    """A page, and the records that it becomes."""

    page: Page
    made: PageRecords


Make = Callable[[Page], Coroutine[Any, Any, ReadPage]]
"""Make records of a page; that may take calls of its own."""
Store = Callable[[Sequence[ReadPage], tuple[RestRequest, ...]], Coroutine[Any, Any, None]]
"""Store pages' records, and the requests that remain, in one transaction."""


class SideBySide:
    """What is under way of one listing: `most` pages that are read, and with those that are not stored yet `HELD` times as many.

    A page's next one is read while the page is completed. So what remains after a crash may have a page and one behind it: that one is not read
    twice for being behind the other. What is `last` waits until nothing else is under way: it finds what changes meanwhile. A store waits for `together` pages, or for as many as are under way.
    """

    def __init__(
        self,
        walk: ListingWalk,
        remaining: Sequence[RestRequest],
        make: Make,
        store: Store,
        *,
        most: int,
        together: int = 1,
        last: Collection[RestRequest] = (),
    ) -> None:
        self._last = last
        self._walk, self._make, self._store, self._most, self._together = walk, make, store, most, together
        self._remaining = list(remaining)
        self._known = {json_line(each) for each in remaining}
        self._under_way: dict[asyncio.Task[Page | ReadPage], RestRequest] = {}
        self._read: list[ReadPage] = []
        self._being_stored = 0
        self._storing: asyncio.Task[None] | None = None
        self._failed: BaseException | None = None

    async def to_the_end(self, stopped: Callable[[], bool]) -> None:
        """Read all that remains, until it is to stop. Pages that were read before an error of Intercom's are stored before it is raised."""
        try:
            while True:
                self._start(stopped)
                waiting = {*self._under_way, *([self._storing] if self._storing else ())}
                if not waiting:
                    break
                finished, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in finished:
                    self._finish(task)
                if self._failed is not None:
                    await self._abandon()
        except BaseException:
            await self._abandon()
            if self._storing is not None:
                self._storing.cancel()
                await asyncio.gather(self._storing, return_exceptions=True)
            raise
        if self._failed is not None:
            raise self._failed

    def _start(self, stopped: Callable[[], bool]) -> None:
        if self._read and self._storing is None and len(self._read) >= min(self._together, len(self._under_way)):
            read, self._read = self._read, []
            self._being_stored = len(read)
            self._storing = asyncio.create_task(self._store(read, (*self._under_way.values(), *self._remaining)))
        under_way, waiting = len(self._under_way), len(self._read) + self._being_stored
        room = min(self._most, HELD * self._most - waiting) - under_way if self._failed is None else 0
        while room > 0 and self._remaining and not stopped() and not (self._remaining[0] in self._last and self._under_way):
            room -= 1
            request = self._remaining.pop(0)
            self._under_way[asyncio.create_task(self._walk.page(request))] = request

    def _finish(self, task: asyncio.Task[Any]) -> None:
        if task is self._storing:
            self._storing, self._being_stored = None, 0
            task.result()
            return
        request = self._under_way.pop(task)
        if (error := task.exception()) is not None:
            self._failed = self._failed or error
            self._remaining.insert(0, request)
            return
        found = task.result()
        if isinstance(found, ReadPage):
            self._read.append(found)
        else:
            self._remaining[:0] = [each for each in found.then if json_line(each) not in self._known]
            self._under_way[asyncio.create_task(self._make(found))] = request

    async def _abandon(self) -> None:
        """Read no further: what was under way remains."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._remaining[:0] = self._under_way.values()
        self._under_way.clear()
