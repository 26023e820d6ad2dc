"""Circuit breaker: decides when to stop waiting for Kafka. Pure: outcomes and durations in, a decision out.

Open means: publish nothing, use the spool. Only a round acknowledged in time closes it; while it is open, the drainer publishes
rounds from the spool.
"""

from collections.abc import Callable
from typing import Final

PUBLISH_TIMEOUT_S: Final = (
    0.25  # half of the 500 ms within which Intercom wants its answer; the spool needs the rest in bad times
)


class Breaker:
    """Open after a round that failed or took too long, until one is acknowledged in time. Kafka starts as away.

    `always_open` keeps it open whatever happens, for an ingress that uses the spool for every post; `on_trip` is called
    whenever it opens.
    """

    def __init__(self, *, always_open: bool = False, on_trip: Callable[[], None] = lambda: None) -> None:
        self.open = True
        self._always_open = always_open
        self._on_trip = on_trip

    def record_failure(self) -> None:
        """Open after a round that failed or was not acknowledged in time."""
        if not self.open:
            self.open = True
            self._on_trip()

    def record_success(self, seconds: float) -> None:
        """Close after a round that Kafka acknowledged within the timeout; a slower one changes nothing."""
        if seconds <= PUBLISH_TIMEOUT_S and not self._always_open:
            self.open = False
