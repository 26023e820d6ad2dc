"""The formula of docs/sizing.md: more of anything never needs less, and the page has its present table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.scale.document import FILE, document
from bench.scale.formula import Figures, partitions, size, speedup
from bench.scale.in_process import lines, measure

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


def test_every_agent_of_conversations_activities_and_the_directory_is_measured_with_the_rows_that_follow():
    found = measure(customers=4, teammates=3)
    assert (found.values["people"], found.values["conversations"], found.values["agents"]) == (4, 4, 3)
    assert found.values["activities"] == 4 * 8, "signed up, an event that moves to its person, a call, and five of a conversation"
    kept = {name for name, share in found.agents.items() if share.rows}
    assert {"contacts", "people", "identity", "conversations", "activities", "timelines", "directory"} <= kept
    assert all(share.memory > share.row_bytes > 0 for name, share in found.agents.items() if name in kept)
    assert any(line.startswith("timelines") for line in lines(found))


def test_more_conversations_and_activities_need_more_memory_and_move_tables_to_the_disk():
    few, many = Figures(conversations=0, activities=0), Figures(conversations=2, activities=40)
    assert size(100_000, 10, few).memory_gib < size(100_000, 10, Figures()).memory_gib
    assert (size(100_000, 10, few).on_disk, size(100_000, 10, many).on_disk) == (False, True)
    assert size(1_000_000, 10, few).kafka_gib < size(1_000_000, 10, many).kafka_gib
