"""How often Python looks for reference cycles while agents run.

A batch makes tens of thousands of objects that live as long as its transaction, none of them in a cycle. With CPython's own
threshold of 700 the collector walks them repeatedly: the engine's benchmark then took 27 to 29 µs of CPU an event, and 19 to 21
with the thresholds here. Objects in cycles (errors with their tracebacks, closed connections) are still collected, later.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Allocations before a collection of the young generation, and how many of those precede one of each older generation.
_THRESHOLDS = (50_000, 20, 50)


@contextmanager
def infrequent_gc() -> Iterator[None]:
    """Collect less often inside the block."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
