"""How seldom Python looks for reference cycles while agents run.

A batch makes tens of thousands of objects that live as long as its transaction, and none of them in a cycle. With CPython's own
threshold of 700 the collector walks them again and again: the engine's benchmark took 27 to 29 µs of CPU an event so, and 19 to 21 with
the thresholds here.
What is in cycles (errors with their tracebacks, closed connections) is still found, later.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Objects made until a look at the young ones, and how often the older ones are looked at with them.
_THRESHOLDS = (50_000, 20, 50)


@contextmanager
def infrequent_gc() -> Iterator[None]:
    """Collect seldom for the block."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
