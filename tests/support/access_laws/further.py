"""The further checks of the agent against the oracle's, after each fact of a history of the activity log."""

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.support.access_histories.accepted import with_further_exemptions
from tests.support.access_histories.activities import with_activities
from tests.support.access_histories.history import history
from tests.support.access_histories.rules import by_rules, version_of
from tests.support.access_laws.product import Reader, records_of
from tests.support.access_oracle.checks.further.accepted import accepted
from tests.support.access_oracle.checks.further.answer import ANY, FAIL, PASS, UNKNOWN, Answer, fails, passes
from tests.support.access_oracle.checks.further.answers import Answers, further_answers
from tests.support.access_oracle.checks.further.dates import failing_since
from tests.support.access_oracle.coverage import Coverage, Covered, coverage, lacks_somebody, latest_listings
from tests.support.access_oracle.interpretation import DEFAULT
from tests.support.access_oracle.log import Entry, FactDict, Key, LoggedFact, read_log
from tests.support.access_oracle.state import State, state_at
from tests.support.company import Company

Subject = tuple[str, str, str]


class Shown(NamedTuple):
    """A row as the agent published it."""

    result: str
    reason: str
    since: int
    is_open: bool


_DETECTIONS = ("C9", "C11", "C14", "C16")
_FIRST = {f"C{number}" for number in range(1, 6)}


def further_campaign(
    minutes: float, first: int, *, histories: int | None = None, size: int = 24
) -> Iterator[tuple[int, list[str]]]:
    """Yield seed and disagreements of one history after the other; without a number of histories, until the time is over."""
    end, seed = time.monotonic() + minutes * 60, first
    while seed - first < histories if histories is not None else time.monotonic() < end:
        yield seed, further_disagreements(further_history(seed, size, version_of(seed)))
        seed += 1


def further_history(seed: int, size: int, rules: str) -> list[Entry]:
    """Return a history by a version of the rules, with further checks switched on, and entries of the activity log."""
    draw = random.Random(f"further {seed}")
    facts: dict[str, FactDict] = {}
    entries = with_activities(seed, history(seed, size), guarded=False)
    for entry in entries:
        if entry["fact"]["id"] not in facts:  # a repeated fact is the same in every byte
            facts[entry["fact"]["id"]] = _with_days_and_seats(draw, entry["fact"])
    entries = [{**entry, "fact": facts[entry["fact"]["id"]]} for entry in entries]
    return by_rules(with_further_exemptions(seed, entries), rules)


def _with_days_and_seats(draw: random.Random, fact: FactDict) -> FactDict:
    """Let detections end within the history, and payloads say who has a seat."""
    if fact["kind"] == "settings.applied":
        further = fact["settings"]["further"]
        on = {
            check: {**options, "days": 1} if check in _DETECTIONS and draw.random() < 0.6 else options
            for check, options in json.loads(further["checks"]).items()
        }
        return {**fact, "settings": {**fact["settings"], "further": {**further, "checks": json.dumps(on)}}}
    if fact["kind"] in ("admin.added", "admin.seen", "admins.snapshot.row") and draw.random() < 0.6:
        return {**fact, "admin": {**(fact.get("admin") or {}), "has_inbox_seat": draw.random() < 0.7}}
    return fact


def further_disagreements(entries: Sequence[Entry]) -> list[str]:
    """Return where the agent and the oracle first differ, in results, reasons and dates.

    No row and UNKNOWN are one answer, but an open finding stays open under it.
    """
    company, reader, log = Company(), Reader(), read_log(entries)
    was_open: set[Subject] = set()
    missed: dict[Key, bool] = {}
    for position, record in enumerate(records_of(entries)):
        company.process([record])
        reader.follow(company.sent)
        state = state_at(log[: position + 1], log[position].log_time, DEFAULT)
        right = further_answers(state) | _reported(log[: position + 1], state, missed)
        shown = dict(_rows(reader))
        differing = sorted([*_differing(state, right, shown), *_uncovered(coverage(state), reader)])
        now_open = {key for key, row in shown.items() if row.is_open}
        if entries[position]["fact"]["basis"] != "decided":  # a decision may close what rests on the one before it
            lost = [
                key
                for key in sorted(was_open - now_open)
                if key in right and right[key].result == UNKNOWN and not right[key].closes
            ]
            differing += [f"{'/'.join(key)} is closed by what is not known" for key in lost]
        if differing:
            return [f"after fact {position}: {sentence}" for sentence in differing]
        was_open = now_open
    return []


def _rows(reader: Reader) -> Iterator[tuple[Subject, Shown]]:
    for (app_id, account, check), rows in reader.states.items():
        for row in rows.values():
            if check in _FIRST or check == "coverage":
                continue
            result = FAIL if row["result"] == "DUE" else row["result"]
            yield (check, app_id, account), Shown(result, row["reason"], row["since"], row["finding"] is not None)


def _reported(log: Sequence[LoggedFact], state: State, missed: dict[Key, bool]) -> Answers:
    """Return the answers of S2; `missed` has for each applied snapshot of a workspace whether it lacked somebody, and gets those of the last fact."""
    for listing in state.listings:
        if (listing.app_id, listing.id) not in missed:
            before = state_at(log[:-1], log[-1].log_time, DEFAULT)
            missed[listing.app_id, listing.id] = lacks_somebody(before, state, listing)
    monitored = {app_id for app_id, source in coverage(state) if not source}
    return {
        ("S2", app_id, ""): fails("webhook_missed") if missed[app_id, listing.id] else passes()
        for app_id, listing in latest_listings(state).items()
        if app_id in monitored
    }


def _uncovered(right: Mapping[Covered, Coverage], reader: Reader) -> Iterator[str]:
    """Yield where the rows about coverage differ."""
    shown = {
        (app_id, source): row
        for (app_id, source, check), rows in reader.states.items()
        if check == "coverage"
        for row in rows.values()
    }
    for key in {*right, *shown}:
        expected, row = right.get(key), shown.get(key)
        if expected is None or row is None:
            yield f"coverage of {'/'.join(key)} is {row and row['result']}, not {expected}"
        elif row["result"] == "PASS":
            if expected.reasons or row["complete_since"] not in expected.since:
                yield f"coverage of {'/'.join(key)} passes since {row['complete_since']}, not {expected}"
        elif row["result"] != "UNKNOWN" or row["reason"] not in expected.reasons:
            yield f"coverage of {'/'.join(key)} is {row['result']} for {row['reason']}, not {expected}"


def _differing(state: State, right: Answers, shown: dict[Subject, Shown]) -> Iterator[str]:
    """A check that passes, or is not known, may have no row while nothing of its kind was ever reported; what is not known never passes."""
    for key in sorted({*right, *shown}):
        expected, row = right.get(key), shown.get(key)
        if row is None:
            if expected is not None and expected.result == FAIL:
                yield f"{'/'.join(key)} has no row, and is {expected}"
        elif expected is None:
            if row.result != UNKNOWN:
                yield f"{'/'.join(key)} is {row}, and not to be answered"
        else:
            yield from (f"{'/'.join(key)} is {row}, not {wrong}" for wrong in _wrong(state, key, expected, row))


def _wrong(state: State, key: Subject, expected: Answer, row: Shown) -> Iterator[object]:
    """Yield what a row should be. An exemption accepts what fails, and what is not known of an open finding."""
    is_check, fails_ = key[0].startswith("C"), expected.result == FAIL
    is_accepted = (
        is_check and (fails_ or (expected.result == UNKNOWN and row.is_open)) and accepted(state, *key).begun is not None
    )
    if row.result != ("EXEMPT" if is_accepted else expected.result):
        yield "EXEMPT" if is_accepted else expected
    if expected.reason not in (ANY, row.reason):
        yield expected
    if fails_ and is_check and (since := failing_since(state, *key)) != row.since:
        yield f"since {since}"
    if expected.result == PASS and row.is_open:
        yield "closed"
