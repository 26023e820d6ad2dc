"""A histogram's observations, buffered: observing takes two locks each time, and a busy process has tens of thousands a second.

The library cannot add many observations at once, so this uses its internals; a test holds the result to its own `observe`.
"""

from bisect import bisect_left

from prometheus_client import Histogram


class HistogramBuffer:
    """Collects observations of a histogram without labels until `flush` adds them to it."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._bounds = histogram._upper_bounds  # noqa: SLF001  # see above
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Add one observation."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def flush(self) -> None:
        """Add the observations to the histogram."""
        for bucket, count in zip(self._histogram._buckets, self._counts, strict=True):  # noqa: SLF001  # see above
            if count:
                bucket.inc(count)
        self._histogram._sum.inc(self._sum)  # noqa: SLF001  # see above
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0
