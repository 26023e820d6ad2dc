"""Random histories of all kinds of facts.

`history(seed, size)` returns entries in the form of the oracle's cases.json. It has no knowledge of any fault: moves are drawn at
random, run beside each other and sometimes arrive late.
"""

import copy
import random
from collections.abc import Callable
from typing import Final

from tests.support.access_histories import decisions, observations
from tests.support.access_histories.builder import HistoryBuilder
from tests.support.access_histories.further import with_further_parts
from tests.support.access_histories.parts import ALL_PARTS
from tests.support.access_histories.pools import LOG_START, STEP_WEIGHTS, STEPS
from tests.support.access_oracle.decided.decisions import Subject, subject_of
from tests.support.access_oracle.log import Entry, FactDict, LoggedFact

Move = Callable[[HistoryBuilder], list[FactDict]]

MOVES: Final[dict[Move, int]] = {
    observations.teammate: 14,
    observations.added_and_removed: 3,
    observations.activity: 2,
    observations.staff_record: 24,
    observations.ended_twice: 2,
    observations.staff_listing: 14,
    decisions.link: 7,
    decisions.classify: 5,
    decisions.policy: 8,
    decisions.settings: 6,
    decisions.monitoring: 3,
    decisions.unmonitored_for_a_while: 2,
    decisions.tick: 5,
    decisions.later_kind: 3,
}
"""How often each move is drawn."""


def history(seed: int, size: int, parts: frozenset[str] = ALL_PARTS) -> list[Entry]:
    """Return a history of about `size` facts, with these parts of the access answers. The same seed gives the same history."""
    build = HistoryBuilder(seed)
    facts = _interleaved(build, size)
    for _ in range(build.draw.choice((0, 0, 1, 2))):
        _delay_or_repeat(build, facts)
    entries = _logged(build.draw, facts)
    build.draw = random.Random(
        f"listings of teammates {seed}"
    )  # so that the rest of a seed's history stays as it is without them
    entries = copy.deepcopy(_with_listings(build, entries))
    return with_further_parts(build, entries, parts)


def _interleaved(build: HistoryBuilder, size: int) -> list[FactDict]:
    draw = build.draw
    running: list[list[FactDict]] = []
    if build.chance(0.7):  # most begin with a teammate, many with a policy: otherwise little follows
        running.append(observations.teammate(build, "admin.added"))
    if build.chance(0.4):
        running.append(decisions.policy(build))
    facts: list[FactDict] = []
    while len(facts) < size:
        while len(running) < draw.choice((1, 1, 2, 3)):
            [move] = draw.choices(list(MOVES), list(MOVES.values()))
            running.append(move(build))
        current = draw.choice(running)
        facts.append(current.pop(0))
        if not current:
            running.remove(current)
    for current in running:  # a listing under way is completed
        facts.extend(current)
    return facts


def _with_listings(build: HistoryBuilder, entries: list[Entry]) -> list[Entry]:
    """Let listings of teammates arrive among the facts, part by part, each when the fact before it does."""
    for _ in range(build.draw.choice((0, 0, 1, 2, 3))):
        after = 0
        for part in observations.teammates_listing(build):
            after = min(
                len(entries), after + build.draw.choice((1, 1, 1, 2, 5)) if after else build.draw.randint(1, len(entries))
            )
            entries.insert(after, {"log_time": entries[after - 1]["log_time"], "fact": part})
    return [{**entry, "offset": offset} for offset, entry in enumerate(entries)]


def _delay_or_repeat(build: HistoryBuilder, facts: list[FactDict]) -> None:
    """Let one fact arrive late, or again."""
    draw = build.draw
    position = draw.randrange(len(facts))
    repeat = build.chance(0.3) or ".snapshot." in facts[position]["kind"]
    fact = facts[position] if repeat else facts.pop(position)
    first = position + 1 if ".snapshot." in fact["kind"] else 0
    facts.insert(draw.randint(first, len(facts)), fact)


def _logged(draw: random.Random, facts: list[FactDict]) -> list[Entry]:
    """Give each fact its offset and log time, and each decision the one it replaces; some are stale."""
    entries: list[Entry] = []
    time = LOG_START
    in_force: dict[Subject, str] = {}
    known: set[str] = set()
    for offset, fact in enumerate(facts):
        time += draw.choices(STEPS, STEP_WEIGHTS)[0]
        log_time = time - 5_003 if draw.random() < 0.04 else time  # a broker's clock can be behind that of the broker before
        subject = subject_of(LoggedFact(offset, time, fact))
        if subject is not None and fact["id"] not in known:  # a repeated decision is the same fact in every byte
            current = in_force.get(subject)
            replaces = draw.choice((None, "another")) if draw.random() < 0.1 else current
            if replaces is not None:
                fact["replaces"] = replaces
            if replaces == current:
                in_force[subject] = fact["id"]
        known.add(fact["id"])
        entries.append({"offset": offset, "log_time": log_time, "fact": fact})
    return entries
