"""The agents against the oracle, history after history: a short run in the tests, a long one in `scripts/faults`."""

import random
import time
from collections.abc import Iterator
from typing import Any

from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.profile_laws import product
from tests.support.profile_laws.answers import Answers, answers
from tests.support.profile_laws.changes import broken_changes
from tests.support.profile_laws.history import history

_NOT_COMPARED = frozenset({"sources", "provenance", "updated_at", "unsettled", "incomplete", "event"})
_TOPICS = ("people", "orgs", "memberships")


def disagreements(seed: int, size: int = 24) -> list[str]:
    """Return where the agents and the oracle differ over a shuffled history; the oracle gets the order, too, for withdrawals."""
    draw = random.Random(seed)
    given = product.shuffled(history(seed, size), draw)
    expected, agents = answers(given), product.run(given, draw)
    return [*compare(expected, agents), *broken_changes(agents, "people"), *broken_changes(agents, "orgs")]


def compare(expected: Answers, agents: LaggingPipeline) -> list[str]:
    """Return a sentence for each public field that differs."""
    found: list[str] = []
    for topic, right in zip(_TOPICS, expected, strict=True):
        actual = agents.values(topic)
        found += [f"{topic} {key} is missing: {right[key]}" for key in sorted(right.keys() - actual.keys())]
        found += [f"{topic} {key} should not be there: {_shown(actual[key])}" for key in sorted(actual.keys() - right.keys())]
        for key in sorted(right.keys() & actual.keys()):
            found += _differing(f"{topic} {key}", right[key], actual[key])
    return found


def _differing(where: str, right: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    names = sorted((actual.keys() - _NOT_COMPARED) & right.keys())
    return [f"{where}.{name} is {actual[name]!r}, not {right[name]!r}" for name in names if actual[name] != right[name]]


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    return {name: given for name, given in value.items() if given and name not in _NOT_COMPARED}


def campaign(minutes: float, first: int, *, histories: int | None = None, size: int = 24) -> Iterator[tuple[int, list[str]]]:
    """Yield seed and disagreements of one history after the other, every tenth of them a long one."""
    end, seed = time.monotonic() + minutes * 60, first
    while seed - first < histories if histories is not None else time.monotonic() < end:
        yield seed, disagreements(seed, size if seed % 10 else 3 * size)
        seed += 1
