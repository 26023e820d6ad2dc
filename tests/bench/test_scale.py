"""The formula of docs/sizing.md: more of anything never needs less, and the page has its present table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.scale.document import FILE, document
from bench.scale.formula import Figures, partitions, size, speedup

CONTACTS, EVENTS = st.integers(1, 200_000_000), st.floats(0.1, 20_000)


@given(CONTACTS, CONTACTS, EVENTS, EVENTS)
def test_more_contacts_and_events_never_need_less_of_kafka_workers_and_brokers(one: int, two: int, slow: float, fast: float):
    small, large = size(min(one, two), min(slow, fast)), size(max(one, two), max(slow, fast))
    assert small.workers <= large.workers
    assert small.kafka_gib <= large.kafka_gib
    assert small.broker_cores <= large.broker_cores
    assert small.partitions <= large.partitions


@given(CONTACTS, EVENTS)
def test_every_worker_has_partitions_and_time_to_spare(contacts: int, events: float):
    need = size(contacts, events)
    assert need.partitions >= need.workers >= 2
    assert events * Figures().worker_us / 1e6 <= need.workers * 0.5 + 1e-9


@pytest.mark.parametrize(("workers", "count"), [(2, 8), (4, 16), (5, 32), (16, 64), (40, 64), (100, 128)])
def test_partitions_are_a_power_of_two_with_four_for_each_worker_while_that_is_worth_it(workers: int, count: int):
    assert partitions(workers) == count


def test_workers_are_faster_until_the_machine_is_full():
    shared = {count: speedup(count, 2, worker_us=200, broker_us=100) for count in (1, 2, 4)}
    assert shared == {1: 1.0, 2: pytest.approx(4 / 3), 4: pytest.approx(4 / 3)}
    assert speedup(4, 100, worker_us=200, broker_us=100) == 4


def test_the_page_has_the_present_table():
    assert document(FILE.read_text()) == FILE.read_text(), "run `python -m bench.scale.document`"
