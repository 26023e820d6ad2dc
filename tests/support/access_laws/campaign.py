"""The agent against the oracle and the laws, history after history: a short run in the tests, a long one in `scripts/faults`."""

import random
import time
from collections.abc import Iterable, Iterator, Sequence

from tests.support.access_histories.activities import with_activities
from tests.support.access_histories.history import history
from tests.support.access_histories.rules import by_rules, version_of
from tests.support.access_laws import product
from tests.support.access_laws.beginnings import Beginnings
from tests.support.access_laws.laws import LAWS, broken_laws
from tests.support.access_laws.nothing_left import nothing_is_left
from tests.support.access_laws.order import any_order
from tests.support.access_laws.replay import replay_gives_the_same_bytes
from tests.support.access_oracle import answers as oracle
from tests.support.access_oracle.log import Entry
from tests.support.access_oracle.results import Answers, Row

Shown = dict[tuple[str, ...], tuple[object, ...]]


def disagreements(entries: Sequence[Entry], steps: Sequence[Answers] | None = None) -> list[str]:
    """Return where the agent and the oracle differ first: in a result, its reason, people, confidence or date, or in an open finding."""
    answered = product.walk(entries) if steps is None else steps
    for position, (right, found) in enumerate(zip(oracle.walk(entries), answered, strict=True)):
        expected, actual = _shown(right), _shown(found)
        compared = {*expected, *(key for key in actual if key[0] != "uid")}  # the oracle knows no uid where a timer opens
        differing = sorted(key for key in compared if expected.get(key) != actual.get(key))
        if differing:
            return [f"after fact {position}: {'/'.join(key)} is {actual.get(key)}, not {expected.get(key)}" for key in differing]
    return []


def faults(seed: int, size: int, laws: Iterable[str] = LAWS) -> dict[str, list[str]]:
    """Return what `faults_of` does of the history of a seed, by the rules of that seed."""
    return faults_of(Beginnings(by_rules(history(seed, size), version_of(seed))), seed, laws)


def faults_of(begun: Beginnings, seed: int, laws: Iterable[str] = LAWS) -> dict[str, list[str]]:
    """Return the laws that the agent breaks in a history, and under "oracle" where it differs from it; nothing where all is right."""
    entries, steps = begun.history, list(begun.walk())
    broken = broken_laws(entries, begun.answer, random.Random(seed), steps=steps, laws=laws)
    broken["oracle"] = disagreements(entries, steps)
    return {law: sentences for law, sentences in broken.items() if sentences}


def campaign(
    minutes: float, first: int, *, histories: int | None = None, size: int = 24
) -> Iterator[tuple[int, dict[str, list[str]]]]:
    """Yield seed and faults of one history after the other, replayed too, every tenth of them a long one.

    It ends after so many histories; without a number, when the time is over.
    """
    end, seed = time.monotonic() + minutes * 60, first
    while seed - first < histories if histories is not None else time.monotonic() < end:
        begun = Beginnings(by_rules(history(seed, size if seed % 10 else 3 * size), version_of(seed)))
        found = faults_of(begun, seed)
        if differing := replay_gives_the_same_bytes(begun.history, random.Random(seed), begun):
            found["replay"] = differing
        for law, sentences in _faults_of_activities(begun.history, seed).items():
            found[law] = sentences
        yield seed, found
        seed += 1


def _faults_of_activities(entries: Sequence[Entry], seed: int) -> dict[str, list[str]]:
    """Return what is wrong with the history and what only the agent answers; where no guard is set both laws ask about one history."""
    guarded, unguarded = with_activities(seed, entries), with_activities(seed, entries, guarded=False)
    begun = Beginnings(guarded)
    broken = {"nothing left": nothing_is_left(guarded, begun)}
    known = begun if guarded == unguarded and not broken["nothing left"] else Beginnings(unguarded)
    broken["any order of activities"] = further_checks_differ(unguarded, random.Random(seed), known)
    return {law: sentences for law, sentences in broken.items() if sentences}


def further_checks_differ(entries: Sequence[Entry], draw: random.Random, begun: Beginnings | None = None) -> list[str]:
    """Return where another order of the observations gives another answer, of further checks too.

    Not of C16: changes of teammates are remembered from the settings on that switch it on.
    """
    answer = (begun or Beginnings(entries)).answer
    return [sentence for sentence in any_order(entries, answer, draw, tries=1) if " C16 " not in sentence]


def _shown(answers: Answers) -> Shown:
    """Return what has to be equal. No row, one that does not apply, and UNKNOWN without a finding are the same answer."""
    answered = {key: row for key, row in _rows(answers).items() if row.status not in ("NONE", "UNKNOWN") or row.has_finding}
    shown: Shown = {key: _form(row) for key, row in answered.items()}
    for finding in answers.open:
        about = finding.check, finding.app_id, finding.account or ""
        shown["open", *about] = (finding.since, finding.created_log_time, finding.state, finding.handling, finding.baseline)
        if finding.uid is not None:
            shown["uid", *about] = (finding.uid,)
        shown["deadline", *about] = (finding.deadline.due if finding.deadline else None, finding.sla_state)
    return shown


def _rows(answers: Answers) -> dict[tuple[str, ...], Row]:
    rows = [row for checks in answers.accounts.values() for row in checks.values()] + list(answers.workspaces.values())
    return {("row", row.check, row.app_id, row.account or ""): row for row in rows}


def _form(row: Row) -> tuple[object, ...]:
    """Return a row in the form compared. C1 names nobody on the wire, so of its rows only candidates are compared."""
    people = row.person if row.reason == "staff_not_known" else row.person_ids if row.check != "C1" else ()
    candidates = frozenset(row.candidates) if row.reason == "ambiguous" and row.check == "C1" else ()
    return row.status, row.reason, people, candidates, row.confidence, row.since
