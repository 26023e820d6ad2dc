"""How often Python looks for reference cycles while agents run, and where.

A batch makes tens of thousands of objects that live as long as its transaction, none of them in a cycle. With CPython's own
threshold of 700 the collector walks them repeatedly: the engine's benchmark then took 27 to 29 µs of CPU an event, and 19 to 21
with one of 50,000. A batch of 2,000 contacts has more, and the steps of its agents took a tenth less time with 200,000 than with
50,000; none at all gave no more. Objects in cycles (errors with their tracebacks, closed connections) are still collected, later.

A full collection walks every object of the process, and nothing else runs meanwhile: 50 ms and more for the 90,000 of the modules alone. They
never become garbage, so they are set aside.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Allocations before a collection of the young generation, and how many of those precede one of each older generation.
_THRESHOLDS = (200_000, 20, 50)


class LongLivedObjects:
    """The objects that no collection walks: those that exist when agents start, and those when their tables are there."""

    def __init__(self) -> None:
        gc.freeze()
        self._complete = False

    def complete(self) -> None:
        """Add what has been made since, the first time only: garbage in cycles that is there stays for good."""
        if not self._complete:
            gc.freeze()
        self._complete = True


@contextmanager
def infrequent_gc() -> Iterator[LongLivedObjects]:
    """Collect less often inside the block, and walk less."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield LongLivedObjects()
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
