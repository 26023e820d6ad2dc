"""How much a replay puts before the agents, simulated: whatever their speed, a live event waits little, and they are not left idle."""

import pytest

from streams.ops.replay.backlog import FEWEST, MOST, AllowedBacklog

CHUNK, LOOK_S, PARTITIONS = 20, 0.01, 4


def simulated(rate: float, seconds: float, markers: int = 0) -> tuple[list[float], int]:
    """Return how long (s) a live event would have waited after each chunk, and how many records were sent, to agents of this rate."""
    backlog, lag, sent, now = AllowedBacklog(PARTITIONS), 0.0, 0, 0.0
    waits = []
    while now < seconds:
        backlog.look(int(lag) + markers, sent, now)
        if int(lag) + markers <= backlog.records:
            lag, sent = lag + CHUNK, sent + CHUNK
            waits.append(lag / rate)
        now += LOOK_S
        lag = max(0.0, lag - rate * LOOK_S)
    return waits, sent


@pytest.mark.parametrize("rate", [500.0, 2_000.0, 4_000.0, 20_000.0])
@pytest.mark.parametrize("markers", [0, 2 * PARTITIONS])
def test_a_live_event_waits_no_longer_than_a_moment_and_what_is_always_allowed(rate: float, markers: int) -> None:
    waits, sent = simulated(rate, 60, markers)
    assert max(waits) <= 0.01 * 1.5 + (FEWEST + 2 * PARTITIONS + CHUNK) / rate
    assert sent >= 0.8 * 60 * min(rate, CHUNK / LOOK_S)


def test_at_first_and_for_agents_that_stand_still_only_the_fewest_are_allowed() -> None:
    backlog = AllowedBacklog(PARTITIONS)
    assert backlog.records == FEWEST + 2 * PARTITIONS
    for number in range(20):
        backlog.look(300, 300, float(number))
    assert backlog.records == FEWEST + 2 * PARTITIONS


def test_however_fast_the_agents_are_there_is_a_bound() -> None:
    backlog = AllowedBacklog(PARTITIONS)
    for number in range(1_000):
        backlog.look(0, 10_000 * number, number / 50)
    assert backlog.records == MOST


def test_agents_that_become_slow_get_less_at_once() -> None:
    backlog = AllowedBacklog(PARTITIONS)
    for number in range(50):
        backlog.look(0, 1_000 * number, number / 50)
    fast = backlog.records
    for number in range(50, 60):
        backlog.look(1_000, 49_000 + 10 * (number - 49), number / 50)
    assert backlog.records < fast / 4
