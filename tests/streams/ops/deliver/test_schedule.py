"""An endpoint as the schedule sees it, with a clock of its own: order, pauses, giving up, and being gentle to one that comes back."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.ops.deliver.schedule import HOUR_S, Delivery, DeliverySchedule, NextStep, RetryPolicy

POLICY = RetryPolicy()


def schedule(policy=POLICY):
    return DeliverySchedule(policy, random.Random(7))


def deliveries(*names):
    """Return deliveries named finding and number, like a1."""
    return [Delivery(place=name, order=name[0], event=name) for name in names]


def added(made, *names):
    every = deliveries(*names)
    for each in every:
        made.add(each)
    return every


def places(started):
    return [each.place for each in started]


def test_events_of_a_finding_are_posted_one_after_the_other_and_findings_side_by_side():
    made = schedule()
    added(made, "a1", "a2", "b1")
    started = made.start(0)
    assert places(started) == ["a1", "b1"]
    assert made.start(0) == []
    made.accepted(started[0], 1)
    assert places(made.start(1)) == ["a2"]


def test_a_failed_event_holds_up_its_own_finding_alone():
    made = schedule()
    added(made, "a1", "a2", "b1")
    first, other = made.start(0)
    assert made.failed(first, 0, "no", answered=True) is NextStep.RETRY
    made.accepted(other, 0)
    assert made.start(0.4) == []
    assert places(made.start(1.0)) == ["a1"]


def test_pauses_double_up_to_five_minutes():
    made = schedule(RetryPolicy(failures_in_a_row=10**9, give_up_s=1e9, pause_s=1e9))
    (only,) = added(made, "a1")
    pauses, now = [], 0.0
    for _ in range(14):
        assert made.start(now) == [only]
        made.failed(only, now, "no", answered=True)
        pauses.append(only.due - now)
        now = only.due
    for number, pause in enumerate(pauses):
        whole = min(2.0**number, 300)
        assert whole / 2 <= pause <= whole


def test_what_the_endpoint_asks_for_holds_for_all_its_events():
    made = schedule()
    first, second = added(made, "a1", "b1")
    made.start(0)
    made.failed(first, 0, "429", answered=False, wait_s=60)
    made.failed(second, 0, "no", answered=True)
    assert made.start(59) == []
    assert set(places(made.start(60))) == {"a1", "b1"}


def test_where_nothing_is_accepted_one_event_at_a_time_is_tried_until_one_is():
    made = schedule()
    added(made, *(f"{chr(97 + n)}1" for n in range(20)))
    now, failures = 0.0, 0
    while failures < 10:
        for each in made.start(now):
            made.failed(each, now, "no", answered=False)
            failures += 1
        now += 0.5
    now += 400
    (probe,) = made.start(now)
    made.failed(probe, now, "no", answered=False)
    now += 400
    (probe,) = made.start(now)
    made.accepted(probe, now)
    assert len(made.start(now)) == POLICY.in_flight


def fail_for(made, delivery, seconds, *, answered, beside=None):
    """Fail a delivery again and again until so much time has passed; a thousand seconds in, `beside` is accepted."""
    now, step = 0.0, None
    while now <= seconds + 2 * POLICY.longest_s:
        for each in made.start(now):
            if each is delivery:
                step = made.failed(each, now, "no", answered=answered)
                if step is not NextStep.RETRY:
                    return now, step
            elif now > 1000:
                made.accepted(each, now)
            else:
                made.failed(each, now, "no", answered=answered)
        now += 10
    return now, step


def test_an_event_that_is_refused_for_a_day_is_given_up_and_the_next_of_its_finding_is_posted():
    made = schedule()
    first, second = added(made, "a1", "a2")
    at, step = fail_for(made, first, 25 * HOUR_S, answered=True)
    assert step is NextStep.GIVE_UP
    assert 24 * HOUR_S <= at <= 24 * HOUR_S + 2 * POLICY.longest_s
    assert made.start(at) == [], "the next one waits until the first is a dead letter"
    made.forget(first)
    assert made.start(at + 1000) == [second]


def test_an_event_to_an_endpoint_that_is_away_is_not_given_up_and_the_endpoint_is_paused():
    made = schedule()
    (only,) = added(made, "a1")
    at, step = fail_for(made, only, 73 * HOUR_S, answered=False)
    assert step is NextStep.PAUSE
    assert 72 * HOUR_S <= at <= 72 * HOUR_S + 2 * POLICY.longest_s
    assert len(made) == 1


def test_an_event_that_times_out_while_others_are_accepted_is_given_up_too():
    made = schedule()
    poison, _ = added(made, "a1", "b1")
    _, step = fail_for(made, poison, 25 * HOUR_S, answered=False)
    assert step is NextStep.GIVE_UP


def test_after_a_resume_all_is_tried_at_once_and_nothing_is_given_up_for_the_time_before():
    made = schedule()
    (only,) = added(made, "a1")
    at, _ = fail_for(made, only, 73 * HOUR_S, answered=False)
    made.hurry(at)
    assert made.start(at) == [only]
    assert made.failed(only, at, "no", answered=True) is NextStep.RETRY


def test_what_is_being_posted_is_not_posted_a_second_time_after_a_resume():
    made = schedule()
    added(made, "a1", "b1")
    first, _ = made.start(0)
    made.hurry(0)
    assert made.start(0) == []
    made.failed(first, 0, "no", answered=True)
    made.hurry(0)
    made.hurry(0)
    assert made.start(0) == [first]


@given(
    names=st.lists(st.sampled_from("abcd"), max_size=30),
    seed=st.integers(0, 999),
    in_flight=st.integers(1, 4),
    removed=st.sets(st.integers(0, 29)),
)
def test_whatever_fails_and_is_taken_away_the_rest_is_accepted_once_and_in_order(names, seed, in_flight, removed):
    chance, made = random.Random(seed), schedule(RetryPolicy(in_flight=in_flight, give_up_s=1e9, pause_s=1e9))
    for number, name in enumerate(names):
        made.add(Delivery(place=number, order=name, event=None))
    accepted, flying, now, removal = [], [], 0.0, chance.randrange(40)
    while len(made):
        now += 50
        flying += made.start(now)
        assert len(flying) <= in_flight
        assert len({each.order for each in flying}) == len(flying)
        if removal == 0 and not flying:
            made.remove(lambda place: place in removed)
        removal -= 1
        if flying:
            each = flying.pop(chance.randrange(len(flying)))
            if chance.random() < 0.5:
                made.failed(each, now, "no", answered=True)
            else:
                made.accepted(each, now)
                accepted.append(each.place)
    for name in set(names):
        mine = [number for number in accepted if names[number] == name]
        assert mine == sorted(set(mine))
    assert set(range(len(names))) - removed <= set(accepted)


def test_a_repr_shows_nothing_of_the_event():
    assert repr(Delivery(place=1, order="f", event="jo@acme.example")) == "Delivery(1, attempts=0)"


@pytest.mark.parametrize("answered", [True, False])
def test_the_oldest_failure_names_why(answered):
    made = schedule()
    first, second = added(made, "a1", "b1")
    made.start(0)
    made.failed(first, 0, "first", answered=answered)
    made.failed(second, 1, "second", answered=answered)
    assert (made.reason, made.failing_since) == ("first", 0)
