"""How many records the agents may have before them while a replay sends more: what they read within a moment.

A live event stands behind them all, so the moment is what a replay may add to its delay.
"""

from typing import Final, NamedTuple

FEWEST: Final = 20  # always allowed: below it, looking costs more than reading
MOST: Final = 2_000
_MOMENT_S: Final = 0.01  # together with a transaction on its way about what an event takes to a person on a quiet machine
_MARKERS: Final = 2  # of transactions, in each partition: they may count as unread for good
_GROWTH: Final = 1.2  # by look, while the agents have read everything: how fast they are is not known then


class _Look(NamedTuple):
    lag: int
    sent: int
    at: float


class AllowedBacklog:
    """Learns from looks at the agents' lag how fast they read."""

    def __init__(self, partitions: int) -> None:
        self._fewest = FEWEST + _MARKERS * partitions
        self._last: _Look | None = None
        self._rate = 0.0

    @property
    def records(self) -> int:
        """So many unread records are allowed now."""
        return max(self._fewest, min(MOST, int(self._rate * _MOMENT_S)))

    def look(self, lag: int, sent: int, now: float) -> None:
        """Take note of a lag at a time (s), after so many records were sent in all."""
        last, self._last = self._last, _Look(lag, sent, now)
        if last is None or now <= last.at:
            return
        rate = max(0, last.lag + sent - last.sent - lag) / (now - last.at)
        busy = lag > self._fewest
        self._rate = (self._rate + rate) / 2 if busy else max(self._rate, rate) * _GROWTH
        self._rate = min(self._rate, MOST / _MOMENT_S)
