"""The agents against the oracle, history after history: a short run in the tests, a long one in `scripts/faults`."""

import random
import time
from collections.abc import Iterator
from typing import Any

from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.profile_laws import product
from tests.support.profile_laws.answers import Answers, Origin, answers
from tests.support.profile_laws.changes import broken_changes
from tests.support.profile_laws.denied_history import history_denied
from tests.support.profile_laws.history import history, history_read_meanwhile
from tests.support.profile_laws.inputs import History

_NOT_COMPARED = frozenset({"sources", "provenance", "updated_at", "unsettled", "incomplete", "event"})  # as fields, that is
_SIZE = 24
_OTHER_FORMS = 5
_TOPICS = ("people", "orgs", "memberships", "people.aliases", "orgs.aliases")


def disagreements(seed: int, size: int = _SIZE) -> list[str]:
    """Return where the agents and the oracle differ over a shuffled history; the oracle gets the order, too, for withdrawals."""
    return _disagreements(history(seed, size), random.Random(seed))


def disagreements_read_meanwhile(seed: int, size: int = _SIZE) -> list[str]:
    """Return the same where objects are read over REST meanwhile, and rules of identity change."""
    return _disagreements(history_read_meanwhile(seed, size), random.Random(seed))


def disagreements_denied(seed: int) -> list[str]:
    """Return the same where policies store nothing of most records."""
    return _disagreements(history_denied(seed), random.Random(seed))


def _disagreements(given: History, draw: random.Random) -> list[str]:
    given = product.shuffled(given, draw)
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
            if topic in ("people", "orgs"):
                found += _wrong_origins(f"{topic} {key}", right[key], actual[key])
    return found


def _differing(where: str, right: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    names = sorted((actual.keys() - _NOT_COMPARED) & right.keys())
    return [f"{where}.{name} is {actual[name]!r}, not {right[name]!r}" for name in names if actual[name] != right[name]]


def _wrong_origins(where: str, right: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    """Return where a value's record, event or time is not the right one, or `updated_at` not the latest time."""
    found = []
    for name, origin in right["provenance"].items():
        place = actual["provenance"].get(name)
        named = None if place is None else Origin(**actual["sources"][place])
        if named is None or named._replace(event=origin.event and named.event) != origin:
            found.append(f"{where}: {name} comes from {named}, not {origin}")
    if actual["updated_at"] != max((each["time"] for each in actual["sources"]), default=0):
        found.append(f"{where}: its updated_at is not the latest of its sources")
    return found


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    return {name: given for name, given in value.items() if given and name not in _NOT_COMPARED}


def length(seed: int) -> int:
    """Return how many inputs the history of a seed has in a campaign: every tenth is a long one."""
    return _SIZE if seed % 10 else 3 * _SIZE


def campaign(minutes: float, first: int, *, histories: int | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yield seed and disagreements of one history after the other. Each fifth seed has one of each other form, too."""
    end, seed = time.monotonic() + minutes * 60, first
    while seed - first < histories if histories is not None else time.monotonic() < end:
        found = disagreements(seed, length(seed))
        if seed % _OTHER_FORMS == 0:
            found += [*disagreements_denied(seed), *disagreements_read_meanwhile(seed, length(seed))]
        yield seed, found
        seed += 1
