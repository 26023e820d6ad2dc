"""Batches are as large as a step's turn allows: a slow step gets small ones, a quick one all it may have."""

from streams.engine.limits import Limits
from streams.engine.partition.batch_size import BatchSize

LIMITS = Limits(batch_records=2_000, step_seconds=0.2)


def sizes(seconds_each: float, turns: int) -> list[int]:
    """Return the batches that a step gets which takes so long for each record."""
    pace, found = BatchSize(LIMITS), []
    for _ in range(turns):
        found.append(pace.records)
        pace.observe(pace.records, pace.records * seconds_each)
    return found


def test_a_quick_step_soon_gets_full_batches() -> None:
    assert sizes(0.000_02, 5) == [256, 512, 1024, 2000, 2000]


def test_a_slow_step_gets_batches_that_fit_its_turn_from_the_second_on() -> None:
    assert sizes(0.002, 4) == [256, 100, 100, 100]


def test_a_step_slower_than_its_turn_gets_single_records() -> None:
    assert sizes(3.0, 3) == [256, 1, 1]


def test_a_step_that_is_quick_again_gets_larger_batches_again() -> None:
    pace = BatchSize(LIMITS)
    pace.observe(256, 25.6)
    assert pace.records == 2
    for _ in range(10):
        pace.observe(pace.records, pace.records * 0.000_02)
    assert pace.records == 2_000


def test_the_first_batch_is_no_larger_than_a_batch_may_be() -> None:
    assert BatchSize(Limits(batch_records=50)).records == 50


def test_turns_are_shorter_where_many_partitions_share_the_time_of_a_transaction() -> None:
    pace = BatchSize(Limits(batch_records=2_000, step_seconds=0.2, transaction_timeout_ms=10_000))
    pace.observe(256, 0.256, lanes=100)
    assert pace.records == 50
