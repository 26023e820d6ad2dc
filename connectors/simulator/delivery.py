"""Simulates delivery: posts overtake each other and arrive twice, as Intercom warns they may."""

import random
from collections.abc import Iterable, Iterator

from connectors.simulator.history import SimulatedPost, StaffFileStep, Step

WINDOW = 6  # the number of posts in flight at once, which may overtake each other


def deliver(history: Iterable[Step], *, seed: int, duplicate_share: float = 0.2) -> Iterator[Step]:
    """Yield the same steps as they might arrive: shuffled within `WINDOW`, a share of the posts a second time later.

    Staff files keep their position: an operator imports them, so no post overtakes them.
    """
    chance = random.Random(seed)  # noqa: S311  # a simulation, not a secret
    in_flight: list[SimulatedPost] = []
    for step in history:
        if isinstance(step, StaffFileStep):
            yield from _drain(in_flight, chance)
            yield step
            continue
        in_flight.append(step)
        if chance.random() < duplicate_share:
            in_flight.append(step)
        while len(in_flight) > WINDOW:
            yield in_flight.pop(chance.randrange(len(in_flight)))
    yield from _drain(in_flight, chance)


def _drain(in_flight: list[SimulatedPost], chance: random.Random) -> Iterator[SimulatedPost]:
    chance.shuffle(in_flight)
    yield from in_flight
    in_flight.clear()
