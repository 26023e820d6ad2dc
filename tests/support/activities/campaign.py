"""Activities, counts and tables against a plain reading of the posts, history after history: a short run is in the laws, a long one in `scripts/faults`."""

import random
import time
import traceback
from collections.abc import Iterator
from unittest.mock import patch

from streams.agents.activities import agent, mark_set
from tests.laws.test_activity_retention import DAY_S, PAUSES, compare, rows, run
from tests.streams.agents.activities.test_rough_histories import check_any_order, check_policies
from tests.streams.agents.activities.test_sealed_histories import check_sealed
from tests.support.activities.world import World, truth, truth_of_orgs
from tests.support.intercom_bodies import AT

_SIZE = 40


def disagreements(seed: int, size: int = _SIZE) -> list[str]:
    """Return where two orders of a history, with repetitions, lags and wakes, differ from each other or from what a plain reading leaves."""
    bodies = World(seed, PAUSES).history(size)
    last_day = AT // DAY_S + random.Random(seed).choice((20, 70, 200))
    with patch.object(agent, "_AT_A_TIME", 3), patch.object(mark_set, "_LEAF", 2):
        first, second = run(bodies, seed, last_day), run(bodies, seed + 1_000, last_day)
    topics = ("activities", "people.engagement", "orgs.engagement")
    found = [f"two orders give other values of {topic}" for topic in topics if first.latest(topic) != second.latest(topic)]
    found += [
        f"two orders give other rows of {each}" for each in ("activities", "timelines") if rows(first, each) != rows(second, each)
    ]
    values = list(first.values("activities").values())
    for kind, expected in (
        ("person", truth(bodies, first.values("people").values())),
        ("org", truth_of_orgs(bodies, first.values("orgs").values())),
    ):
        engagement = first.values("people.engagement" if kind == "person" else "orgs.engagement")
        try:
            compare(
                expected, [(each[kind], each) for each in values if bool(each["org"]) == (kind == "org")], engagement, last_day
            )
        except AssertionError as error:
            found.append(f"activities of each {kind}: {str(error)[:1_000]}")
    ids = [dict(record.headers)["ce_id"] for record in first.topics["activities"]]
    return [*found, *([] if len(ids) == len(set(ids)) else ["an id is on activities twice"])]


def rough_disagreements(seed: int, size: int = _SIZE) -> list[str]:
    """Return what is wrong after a history with redactions, deletions, readings and replays: in two orders, with policies that change meanwhile, or over years."""
    check = (check_any_order, check_policies, check_sealed)[seed // 2 % 3]
    try:
        with patch.object(agent, "_AT_A_TIME", 3), patch.object(mark_set, "_LEAF", 2):
            check(seed, size)
    except AssertionError as error:
        line = traceback.extract_tb(error.__traceback__)[-1].line
        return [f"{check.__name__}: {line} {str(error)[:1_000]}"]
    return []


def campaign(minutes: float, first: int, *, histories: int | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yield seed and disagreements of one history after the other: an even seed has a plain one, an odd one a rough one; a tenth are long ones."""
    end, seed = time.monotonic() + minutes * 60, first
    while seed - first < histories if histories is not None else time.monotonic() < end:
        check = rough_disagreements if seed % 2 else disagreements
        yield seed, check(seed, _SIZE if seed // 2 % 10 else 3 * _SIZE)
        seed += 1
