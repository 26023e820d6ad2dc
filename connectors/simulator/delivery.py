"""From what happened to what arrives: posts overtake each other and come twice, as Intercom warns they may."""

import random
from collections.abc import Iterable, Iterator

from connectors.simulator.history import SimulatedPost, StaffFileStep, Step

WINDOW = 6  # so many posts are under way at once and may overtake each other


def deliver(history: Iterable[Step], *, seed: int, duplicate_share: float = 0.2) -> Iterator[Step]:
    """Yield the same steps as they might arrive: shuffled within `WINDOW`, a share of the posts again later.

    Staff files are imported by a person and keep their place: nothing overtakes them.
    """
    chance = random.Random(seed)  # noqa: S311  # play, not secrets
    waiting: list[SimulatedPost] = []
    for step in history:
        if isinstance(step, StaffFileStep):
            yield from _drain(waiting, chance)
            yield step
            continue
        waiting.append(step)
        if chance.random() < duplicate_share:
            waiting.append(step)
        while len(waiting) > WINDOW:
            yield waiting.pop(chance.randrange(len(waiting)))
    yield from _drain(waiting, chance)


def _drain(waiting: list[SimulatedPost], chance: random.Random) -> Iterator[SimulatedPost]:
    chance.shuffle(waiting)
    yield from waiting
    waiting.clear()
