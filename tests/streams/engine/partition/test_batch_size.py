"""Batches are as large as the time for a step allows: a slow step gets small ones, a quick one full ones."""

from streams.engine.limits import Limits
from streams.engine.partition.batch_size import BatchSize

LIMITS = Limits(batch_records=2_000, step_seconds=0.2)


def sizes(seconds_each: float, batches: int) -> list[int]:
    """Return the sizes of the batches of a step that takes this long for each record."""
    size, records = BatchSize(LIMITS), []
    for _ in range(batches):
        records.append(size.records)
        size.observe(size.records, size.records * seconds_each)
    return records


def test_a_quick_step_soon_gets_full_batches() -> None:
    assert sizes(0.000_02, 5) == [256, 512, 1024, 2000, 2000]


def test_a_slow_step_gets_batches_that_fit_its_turn_from_the_second_on() -> None:
    assert sizes(0.002, 4) == [256, 100, 100, 100]


def test_a_step_slower_than_its_turn_gets_single_records() -> None:
    assert sizes(3.0, 3) == [256, 1, 1]


def test_a_step_that_is_quick_again_gets_larger_batches_again() -> None:
    size = BatchSize(LIMITS)
    size.observe(256, 25.6)
    assert size.records == 2
    for _ in range(10):
        size.observe(size.records, size.records * 0.000_02)
    assert size.records == 2_000


def test_the_first_batch_is_no_larger_than_a_batch_may_be() -> None:
    assert BatchSize(Limits(batch_records=50)).records == 50


def test_turns_are_shorter_where_many_partitions_share_the_time_of_a_transaction() -> None:
    size = BatchSize(Limits(batch_records=2_000, step_seconds=0.2, transaction_timeout_ms=10_000))
    size.observe(256, 0.256, processors=100)
    assert size.records == 50


def test_partitions_that_become_busy_together_take_small_batches_from_the_first_on() -> None:
    """The step was measured while the partition was alone; the size is for those that are at work now."""
    size = BatchSize(LIMITS)
    size.observe(256, 0.256)
    assert (size.records_among(1), size.records_among(100)) == (200, 50)
    size.observe(50, 0.05, processors=100)
    assert (size.records_among(100), size.records_among(1)) == (50, 100)
