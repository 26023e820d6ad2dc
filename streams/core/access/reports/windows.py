"""Windows of UNKNOWN: when which check had no answer about whom, from the changes of `access.state`."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from schemas.access.findings import CheckState
from streams.core.access.checks.check import UNKNOWN
from streams.core.access.processing.process import StateChange


class Window(NamedTuple):
    """A window: the row that began it, the reasons in their order, when it was shown and until when (ms; None where it still is)."""

    first: CheckState
    reasons: tuple[str, ...]
    shown: int
    until: int | None


class UnknownWindows:
    """Follows the changes in their order. Windows that ended before `since` (ms) are forgotten; None forgets all that ended."""

    def __init__(self, since: int | None) -> None:
        self._since = since
        self._open: dict[str, Window] = {}
        self._over: list[Window] = []

    def follow(self, changes: Iterable[StateChange], before: int, now: int) -> None:
        """Take the changes of one chunk: log time went from `before` to `now` (ms). What began between them was shown since then."""
        for change in changes:
            row, window = change.row, self._open.get(change.key)
            if row is None or row.result != UNKNOWN:
                if window is not None:
                    del self._open[change.key]
                    self._end(window, now)
            elif window is None:
                self._open[change.key] = Window(row, (row.reason,), min(max(row.since, before), now), None)
            elif row.reason not in window.reasons:
                self._open[change.key] = window._replace(reasons=(*window.reasons, row.reason))

    def all(self) -> Iterator[Window]:
        yield from self._over
        yield from self._open.values()

    def _end(self, window: Window, now: int) -> None:
        if self._since is not None and now >= self._since and now > window.shown:
            self._over.append(window._replace(until=now))
