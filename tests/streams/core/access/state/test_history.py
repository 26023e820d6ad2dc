"""What is remembered of a field that is asserted more often than there is room for."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from streams.core.access.state.history import (
    REMEMBERED,
    History,
    _with_other_value,
    moments,
    run_start,
    runs,
    same_runs,
    with_value,
)
from tests.support.company import DAY, T0, TENANT, Company, admin, everyone


def history_of(*values: str) -> History:
    history: History = ()
    for time, value in enumerate(values):
        history = with_value(history, value, time)
    return history


def run_of(history: History) -> int:
    found = moments(history)
    return run_start(found, lambda values: values == found[-1].values).time


def test_a_value_that_is_asserted_again_and_again_keeps_its_beginning():
    history = history_of("a", *["b"] * (3 * REMEMBERED))
    assert run_of(history) == 1
    assert len(moments(history)) == REMEMBERED
    assert moments(history)[0].values == ["a"]


def test_of_values_that_alternate_the_oldest_is_forgotten():
    history = history_of(*["a", "b"] * REMEMBERED)
    assert [moment.time for moment in moments(history)] == list(range(REMEMBERED, 2 * REMEMBERED))


def test_a_late_assertion_of_another_value_still_splits_the_run_where_it_is_remembered():
    history = with_value(history_of(*["a"] * (2 * REMEMBERED)), "b", 2 * REMEMBERED - 2)
    assert run_of(history) == 2 * REMEMBERED - 1


def test_an_account_that_every_snapshot_lists_keeps_the_date_of_its_answers():
    company = Company()
    company.staff("77", "jo@acme.example")
    company.added("7", "jo@acme.example", role="Agent")
    before = company.states()[f"{TENANT}|C1|ws1|7|"]
    for number in range(REMEMBERED + 6):
        company.teammates(admin("admin.seen", "7", "jo@acme.example", role="Agent"), requested=T0 + (10 + number) * DAY)
    company.policy(everyone())  # everything is evaluated again
    assert company.states()[f"{TENANT}|C1|ws1|7|"] == before


ASSERTIONS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4_000)), min_size=1, max_size=REMEMBERED + 8)
RESOLUTIONS = st.sampled_from((1, 1000))


@given(ASSERTIONS, ASSERTIONS, RESOLUTIONS)
@example([("a", 0), ("b", 1), ("a", 2)], [("a", 0), ("b", 1), ("a", 2), ("a", 3)], 1)
@example([("a", 0), ("a", 2_500), ("a", 2_700)], [("a", 0)], 1000)
def test_runs_are_the_moments_without_those_that_repeat_the_one_before(one, other, resolution):
    history, longer = made_of(one), made_of([*one, *other])
    found, every = runs(history, resolution), moments(history, resolution)
    firsts = [each for before, each in pairwise([None, *every]) if before is None or before.values != each.values]
    assert [each[:3] for each in found] == [each[:3] for each in firsts]
    assert [each.last for each in found] == [*(before.time for before, each in pairwise(every) if each in firsts), every[-1].time]
    assert same_runs(history, longer) == ([each[:3] for each in runs(history)] == [each[:3] for each in runs(longer)])


@example(list(range(REMEMBERED + 2)))
@given(st.lists(st.integers(0, 4_000), min_size=1, max_size=2 * REMEMBERED))
def test_a_value_asserted_again_is_remembered_as_among_others(times):
    history: History = ()
    for time in times:
        expected = _with_other_value(history, "a", time)
        history = with_value(history, "a", time)
        assert history == expected


def made_of(assertions):
    history: History = ()
    for value, time in assertions:
        history = with_value(history, value, time)
    return history
