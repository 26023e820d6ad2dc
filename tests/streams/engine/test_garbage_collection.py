"""What is there when agents start, and when their tables are there, is walked by no collection; afterwards all is as before."""

import gc

from streams.engine.garbage_collection import infrequent_gc


class Cycle:
    """Garbage that only a collection finds."""

    def __init__(self) -> None:
        self.itself = self


def test_long_lived_objects_are_set_aside_twice_and_come_back_at_the_end() -> None:
    before, thresholds = gc.get_freeze_count(), gc.get_threshold()
    with infrequent_gc() as long_lived:
        at_start = gc.get_freeze_count()
        assert at_start > before
        table = [[] for _ in range(1_000)]
        long_lived.complete()
        with_tables = gc.get_freeze_count()
        assert with_tables >= at_start + len(table)
        later = [[] for _ in range(1_000)]
        long_lived.complete()
        assert gc.get_freeze_count() < with_tables + len(later), "a rebalance sets nothing aside: garbage would pile up"
    assert (gc.get_freeze_count(), gc.get_threshold()) == (0, thresholds)


def test_garbage_in_cycles_is_still_collected_meanwhile() -> None:
    with infrequent_gc():
        Cycle()
        assert gc.collect() >= 1
