"""The agent against the oracle and the laws, history after history: a short run in the tests, a long one in `scripts/faults`."""

import random
import time
from collections.abc import Iterator, Sequence

from tests.support.access_histories.history import history
from tests.support.access_laws import product
from tests.support.access_laws.laws import broken_laws
from tests.support.access_oracle import answers as oracle
from tests.support.access_oracle.log import Entry
from tests.support.access_oracle.results import Answers, Row

Shown = dict[tuple[str, ...], tuple[object, ...]]


def disagreements(entries: Sequence[Entry]) -> list[str]:
    """Return where the agent and the oracle differ first: in a result, its reason, people, confidence or date, or in an open finding."""
    for position, (right, found) in enumerate(zip(oracle.walk(entries), product.walk(entries), strict=True)):
        expected, actual = _shown(right), _shown(found)
        compared = {*expected, *(key for key in actual if key[0] != "uid")}  # the oracle knows no uid where a timer opens
        differing = sorted(key for key in compared if expected.get(key) != actual.get(key))
        if differing:
            return [f"after fact {position}: {'/'.join(key)} is {actual.get(key)}, not {expected.get(key)}" for key in differing]
    return []


def faults(seed: int, size: int) -> dict[str, list[str]]:
    """Return the laws that the agent breaks in a history, and under "oracle" where it differs from it; nothing where all is right."""
    entries = history(seed, size)
    broken = broken_laws(entries, product.answer, random.Random(seed), steps=list(product.walk(entries)))
    broken["oracle"] = disagreements(entries)
    return {law: sentences for law, sentences in broken.items() if sentences}


def campaign(minutes: float, first: int, size: int = 24) -> Iterator[tuple[int, dict[str, list[str]]]]:
    """Yield seed and faults of one history after the other, every tenth of them a long one, until the time is over."""
    end, seed = time.monotonic() + minutes * 60, first
    while time.monotonic() < end:
        yield seed, faults(seed, size if seed % 10 else 3 * size)
        seed += 1


def _shown(answers: Answers) -> Shown:
    """Return what has to be equal. No row, one that does not apply, and UNKNOWN without a finding are the same answer."""
    shown: Shown = {}
    rows = [row for checks in answers.accounts.values() for row in checks.values()] + list(answers.workspaces.values())
    for row in rows:
        if row.status != "NONE" and (row.status != "UNKNOWN" or row.has_finding):
            shown["row", row.check, row.app_id, row.account or ""] = _form(row)
    for finding in answers.open:
        about = finding.check, finding.app_id, finding.account or ""
        shown["open", *about] = (finding.since, finding.created_log_time, finding.state, finding.handling, finding.baseline)
        if finding.uid is not None:
            shown["uid", *about] = (finding.uid,)
        shown["deadline", *about] = (finding.deadline.due if finding.deadline else None, finding.sla_state)
    return shown


def _form(row: Row) -> tuple[object, ...]:
    """Return a row in the form compared. C1 names nobody on the wire, so of its rows only candidates are compared."""
    people = row.person if row.reason == "staff_not_known" else row.person_ids if row.check != "C1" else ()
    candidates = frozenset(row.candidates) if row.reason == "ambiguous" and row.check == "C1" else ()
    return row.status, row.reason, people, candidates, row.confidence, row.since
