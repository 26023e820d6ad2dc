"""The simulator's time. It runs as the machine's does, or stands still; either way it can be moved forwards."""

import time
from collections.abc import Callable


class SimulatedClock:
    """Milliseconds since 1970. `frozen_ms` stands still until `advance` is called, so that the same steps give the same bytes."""

    def __init__(self, frozen_ms: int | None = None, wall: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._frozen, self._wall, self._ahead = frozen_ms, wall, 0

    @property
    def frozen(self) -> bool:
        return self._frozen is not None

    def now_ms(self) -> int:
        return (self._wall() if self._frozen is None else self._frozen) + self._ahead

    def advance(self, ms: int) -> None:
        self._ahead += ms
