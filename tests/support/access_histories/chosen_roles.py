"""Roles chosen for teammates, among the facts of a history that is otherwise as it was: many histories have none."""

import random
from typing import Any, Final

from tests.support.access_histories.builder import HistoryBuilder
from tests.support.access_histories.pools import DAY, EARLY, HOUR, INTERCOM_ROLE_IDS, INTERCOM_ROLES, LOG_START
from tests.support.access_oracle.answers import walk
from tests.support.access_oracle.decided.decisions import subject_of
from tests.support.access_oracle.log import Entry, FactDict, LoggedFact

_SPELT_OTHERWISE: Final = tuple(f" {name.upper()}  " for name in INTERCOM_ROLES)
_NAMES: Final = (*INTERCOM_ROLES, *INTERCOM_ROLES, *INTERCOM_ROLE_IDS.values(), *_SPELT_OTHERWISE, "Nobody's", None)
_TIMES: Final = (None, None, None, EARLY + DAY, LOG_START, LOG_START + HOUR)
_STALE: Final = 0.08


def with_chosen_roles(build: HistoryBuilder, entries: list[Entry]) -> list[Entry]:
    """Return the history with roles that are chosen, changed and taken back; a few choices are stale, or repeated."""
    build.draw = random.Random(f"chosen roles {build.seed}")
    count = build.draw.choice((0, 0, 1, 2, 3))
    places = _answered_by_a_rule(entries) if count else []
    entries = list(entries)
    for _ in range(count):
        after, about = build.draw.choice(places) if places and build.chance(0.7) else (1, build.account())
        for number in range(build.draw.choice((1, 1, 2, 3))):
            after = build.draw.randint(after, min(after + 2, len(entries)) if not number else len(entries))
            made = _chosen(build, about)
            for fact in [made, made] if build.chance(0.1) else [made]:
                entries.insert(after, {"log_time": entries[after - 1]["log_time"], "fact": fact})
                after += 1
    _say_what_is_replaced(build, entries)
    return entries


def _answered_by_a_rule(entries: list[Entry]) -> list[tuple[int, dict[str, str]]]:
    """Return accounts that C4 passes or fails, each with a place in the log: drawn at random, few choices would matter."""
    return [
        (position + 1, {"app_id": app_id, "account": account})
        for position, step in enumerate(walk(entries))
        for (app_id, account), checks in sorted(step.accounts.items())
        if checks["C4"].status in ("PASS", "FAIL")
    ]


def _chosen(build: HistoryBuilder, about: dict[str, Any]) -> FactDict:
    role = {"name": build.draw.choice(_NAMES)}
    return build.fact("role.desired", "directory", "decided", time=build.draw.choice(_TIMES), **about, role=role)


def _say_what_is_replaced(build: HistoryBuilder, entries: list[Entry]) -> None:
    in_force: dict[tuple[str, ...], str] = {}
    seen: set[str] = set()
    for position, entry in enumerate(entries):
        fact = entry["fact"]
        subject = subject_of(LoggedFact(position, entry["log_time"], fact))
        if fact["kind"] != "role.desired" or subject is None or fact["id"] in seen:
            continue
        seen.add(fact["id"])
        stale = build.chance(_STALE)
        if stale or subject in in_force:
            fact["replaces"] = "another" if stale else in_force[subject]
        if not stale:
            in_force[subject] = fact["id"]
