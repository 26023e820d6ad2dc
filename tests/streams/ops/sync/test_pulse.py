"""When a workspace's pause is unusual, and what shows that something happened meanwhile."""

import json

import pytest

from streams.ops.sync.pulse import LEAST_SILENCE_MS, Pulse, changed_between, pulse_of

MINUTE = 60_000


def test_the_pulse_is_the_latest_webhook_and_the_longest_pause_in_whatever_order_they_are_read():
    webhooks = [(5 * MINUTE, "a"), (MINUTE, "a"), (9 * MINUTE, "b")]
    assert (
        pulse_of(webhooks)
        == pulse_of(reversed(webhooks))
        == Pulse(last=9 * MINUTE, longest_pause=4 * MINUTE, topics=frozenset("ab"))
    )


@pytest.mark.parametrize(
    ("longest", "pause", "unusual"),
    [
        (0, LEAST_SILENCE_MS, False),
        (0, LEAST_SILENCE_MS + 1, True),
        (20 * MINUTE, 30 * MINUTE, False),
        (20 * MINUTE, 31 * MINUTE, True),
    ],
)
def test_a_pause_is_unusual_that_is_half_as_long_again_as_any_known(longest: int, pause: int, unusual: bool):
    assert Pulse(last=1000, longest_pause=longest).is_unusual(1000 + pause) is unusual


def test_a_workspace_that_never_talked_is_not_silent():
    assert not pulse_of([]).is_unusual(10**15)
    assert not Pulse().joined(Pulse()).is_unusual(10**15)


def test_what_was_known_is_kept_where_the_latest_records_have_no_webhook():
    known = Pulse(last=7, longest_pause=3, topics=frozenset("a"))
    assert known.joined(pulse_of([])) == pulse_of([]).joined(known) == known


def test_only_what_happened_between_counts_and_what_cannot_be_read_does_not():
    items = [json.dumps(each).encode() for each in ({"created_at": 5, "updated_at": 50}, {"created_at": "soon"}, {})]
    assert not changed_between([*items, b"[1"], "created_at", 5000, 60_000)
    assert changed_between(items, "created_at", 4999, 60_000)
    assert changed_between(items, "updated_at", 5000, 60_000)
