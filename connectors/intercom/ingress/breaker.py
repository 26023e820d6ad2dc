"""When to stop waiting for Kafka. Pure: what happened and when go in, whether to try goes out.

Open means: do not try, go over the spool. Only a round that came back in time closes it; the drainer makes rounds of what the spool holds.
"""

from collections.abc import Callable
from typing import Final

PATIENCE_S: Final = 0.25  # half of the 500 ms within which Intercom wants its answer; the spool needs the rest in bad times


class Breaker:
    """Open after a round that failed or took too long, until one comes back in time. Kafka starts as away.

    `always` keeps it open whatever happens, for an ingress that is to use the spool for every post; `on_trip` is called
    whenever it opens.
    """

    def __init__(self, *, always: bool = False, on_trip: Callable[[], None] = lambda: None) -> None:
        self.open = True
        self._always = always
        self._on_trip = on_trip

    def late(self) -> None:
        """Note that a round failed or did not come back in time."""
        if not self.open:
            self.open = True
            self._on_trip()

    def returned(self, seconds: float) -> None:
        """Note a round that came back whole."""
        if seconds <= PATIENCE_S and not self._always:
            self.open = False
