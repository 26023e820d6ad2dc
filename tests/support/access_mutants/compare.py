"""Whether two implementations differ after some fact, and which laws notice one without the other."""

import random
from collections.abc import Iterable, Sequence
from typing import Any

from tests.support.access_laws.answer import final_form
from tests.support.access_laws.laws import LAWS, broken_laws
from tests.support.access_mutants.patch import Patch, patched
from tests.support.access_oracle import answers
from tests.support.access_oracle.log import Entry
from tests.support.access_oracle.results import Answers, Finding


def comparable(steps: Sequence[Answers]) -> list[Any]:
    """Return what a comparison after each fact uses: rows with dates, open and closed findings, deadlines and their steps."""
    return [(final_form(step), sorted(_form(finding) for finding in (*step.open, *step.closed))) for step in steps]


def _form(f: Finding) -> tuple[Any, ...]:
    due = f.deadline.due if f.deadline else 0
    return (f.check, f.app_id, f.account or "", f.created, f.closed_for or "", due, f.sla_state or "", f.state, f.events)


def differs(history: Sequence[Entry], patch: Patch) -> bool:
    """Whether the oracle's answers to the history differ under the patch, after any fact."""
    right = comparable(list(answers.walk(history)))
    with patched(patch):
        return comparable(list(answers.walk(history))) != right


def noticed_by(history: Sequence[Entry], patch: Patch, seed: int, laws: Iterable[str] = LAWS) -> list[str]:
    """Return which of the laws the oracle breaks under the patch."""
    with patched(patch):
        steps = list(answers.walk(history))
        broken = broken_laws(history, answers.answers, random.Random(seed), quick=answers.final_rows, steps=steps, laws=laws)
    return [law for law, sentences in broken.items() if sentences]
