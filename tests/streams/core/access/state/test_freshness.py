"""When a source is stale: the arithmetic of observations and intervals, against a naive reading of the rule."""

import random

import pytest

from schemas.access.facts import AccessSettings
from streams.core.access.state.freshness import Freshness, freshness_of, interval_of, next_change, stale_since, with_sign


def naive(times: list[int], interval: int, at: int) -> int | None:
    """Stale since three intervals after the newest observation so far."""
    past = [time for time in times if time <= at]
    if any(at < time + 3 * interval for time in past):
        return None
    return max(past) + 3 * interval if past else 0


@pytest.mark.parametrize("seed", range(200))
def test_observations_in_any_order_make_a_source_stale_and_fresh_at_the_same_instants(seed: int):
    draw = random.Random(seed)
    interval, now = draw.choice((2, 5)), 0
    times = [draw.randrange(100) for _ in range(draw.randrange(1, 12))]
    signs: tuple[tuple[int, str], ...] = ()
    for number, time in enumerate(times):
        signs = with_sign(signs, (time, f"f{number}"), now)
        known = times[: number + 1]
        expected = next(
            (at for at in range(now + 1, 200) if (naive(known, interval, at) is None) != (naive(known, interval, now) is None)),
            None,
        )
        found = next_change(signs, interval, now)
        assert (found[0] if found else None) == expected
        assert stale_since(signs, interval, now) == naive(known, interval, now)
        now += draw.randrange(10)


def test_of_observations_at_one_time_the_smallest_id_counts_in_both_orders():
    for first, second in (("a", "b"), ("b", "a")):
        signs = with_sign(with_sign((), (5, first), 9), (5, second), 9)
        assert signs == ((5, "a"),)


def test_only_what_can_still_count_is_remembered():
    signs: tuple[tuple[int, str], ...] = ()
    for time in range(1000):
        signs = with_sign(signs, (time, "past"), 1000)
    for time in range(5000, 2000, -1):
        signs = with_sign(signs, (time, "ahead"), 1000)
    assert signs[0] == (999, "past")
    assert [time for time, _ in signs[1:]] == list(range(2001, 2033))


def test_an_observation_at_the_end_of_time_keeps_no_source_fresh_and_arms_no_timer():
    signs = with_sign(((5, "f"),), (10**18, "wild"), 9)
    assert signs == ((5, "f"),)
    assert next_change(((999_999_999_999_999, "f"),), 10, 999_999_999_999_999) is None


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ('{"hr": {"kind": "interval", "interval": 5}}', 5),
        ('{"hr": {"kind": "push", "interval": 5}}', None),
        ('{"hr": {"kind": "manual"}}', None),
        ('{"hr": {"kind": "interval", "interval": 0}}', None),
        ('{"hr": {"kind": "interval", "interval": -5}}', None),
        ('{"hr": {"kind": "interval"}}', None),
        ('{"hr": 5}', None),
        ("[", None),
        ("{}", None),
    ],
)
def test_only_a_source_that_reports_at_intervals_has_one(text: str, interval: int | None):
    settings = AccessSettings(further={"freshness": text}, hash="h")
    assert interval_of(freshness_of(settings).get("hr")) == interval


def test_settings_without_freshness_expect_nothing():
    assert freshness_of(AccessSettings(hash="h")) == {}
    assert interval_of(Freshness("interval", 7)) == 7
