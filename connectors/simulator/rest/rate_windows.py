"""The rate limit of the simulated API: so many calls in each window of ten seconds."""

from typing import Final

WINDOW_S: Final = 10
_REMEMBERED: Final = 360  # windows: an hour


class RateWindows:
    """Counts calls. `limit` calls are answered in a window; 0 is no limit, and no headers."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.refused = self.calls = 0
        self._window = self._used = 0
        self._answered: dict[int, int] = {}

    def take(self, now_ms: int) -> bool:
        """Count a call, and return whether it is within the limit."""
        window = now_ms // 1000 // WINDOW_S
        if window != self._window:
            self._window, self._used = window, 0
        self.calls += 1
        self._used += 1
        within = not self.limit or self._used <= self.limit
        self.refused += not within
        self._answered[window] = self._used if within else self.limit
        while len(self._answered) > _REMEMBERED:
            del self._answered[next(iter(self._answered))]
        return within

    def answered(self) -> dict[int, int]:
        """Return how many calls were within the limit in each window of the last hour that had any, by the second in which it began."""
        return {window * WINDOW_S: count for window, count in self._answered.items()}

    def headers(self) -> dict[str, str]:
        """Return the headers for the call that was counted last."""
        if not self.limit:
            return {}
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self._used)),
            "X-RateLimit-Reset": str((self._window + 1) * WINDOW_S),
        }
