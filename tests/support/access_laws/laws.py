"""The laws of the access answers as functions of a history and of who answers it: each returns the sentences that break it.

The laws read the facts by themselves as far as they can (who left, what was decided when) and take from the oracle only the plain
readers of the log: which listings are complete, which decisions are in force.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from tests.support.access_laws.answer import Answer
from tests.support.access_laws.causes import no_event_before_causes
from tests.support.access_laws.grants import deadlines_hold, exemption_never_passes, grace_only_delays, ticks_change_nothing
from tests.support.access_laws.less_data import less_data, silence
from tests.support.access_laws.no_leaver_passes import no_leaver_passes
from tests.support.access_laws.order import any_order, decision_before_or_after
from tests.support.access_laws.others import others_change_nothing
from tests.support.access_laws.staleness import staleness
from tests.support.access_oracle.log import Entry
from tests.support.access_oracle.results import Answers


class Asked(NamedTuple):
    """What a law is asked about: a history, who answers it, perhaps without findings, and the answers after each fact, if known."""

    history: Sequence[Entry]
    answer: Answer
    rows: Answer
    draw: random.Random
    steps: Sequence[Answers] | None


LAWS: Final = MappingProxyType[str, Callable[[Asked], list[str]]]({
    "no leaver passes": lambda asked: no_leaver_passes(asked.history, asked.answer, asked.steps),
    "less data": lambda asked: less_data(asked.history, asked.rows),
    "silence": lambda asked: silence(asked.history, asked.answer),
    "staleness": lambda asked: staleness(asked.history, asked.answer),
    "any order": lambda asked: any_order(asked.history, asked.answer, asked.draw),
    "decision before or after": lambda asked: decision_before_or_after(asked.history, asked.answer, asked.draw),
    "others change nothing": lambda asked: others_change_nothing(asked.history, asked.rows, asked.draw),
    "no event before its causes": lambda asked: no_event_before_causes(asked.history, asked.answer),
    "exemption never passes": lambda asked: exemption_never_passes(asked.history, asked.answer),
    "grace only delays": lambda asked: grace_only_delays(asked.history, asked.answer),
    "deadlines hold": lambda asked: deadlines_hold(asked.steps or []),
    "ticks change nothing": lambda asked: ticks_change_nothing(asked.history, asked.answer, asked.draw),
})  # fmt: skip


def broken_laws(
    history: Sequence[Entry],
    answer: Answer,
    draw: random.Random,
    *,
    quick: Answer | None = None,
    steps: Sequence[Answers] | None = None,
    laws: Iterable[str] = LAWS,
) -> dict[str, list[str]]:
    """Check laws on one history, by default all; a law that holds has an empty list.

    `quick` may leave out findings: it serves the laws that use rows only. `steps` are the answers after each fact, if known.
    """
    answer = _remembered(history, answer, steps)
    rows = _remembered(history, quick, None) if quick else answer
    asked = Asked(history, answer, rows, draw, steps)
    return {law: LAWS[law](asked) for law in laws}


def some_laws(seed: int) -> list[str]:
    """Return the laws that the history of a seed is asked about in a short run: a fourth of them, another one for each seed."""
    return [law for place, law in enumerate(LAWS) if (place - seed) % 4 == 0]


def _remembered(history: Sequence[Entry], answer: Answer, steps: Sequence[Answers] | None) -> Answer:
    """Return who answers the history itself only once: every law asks for that."""
    known = list(steps[-1:]) if steps else []

    def remembering(entries: Sequence[Entry]) -> Answers:
        if entries is not history:
            return answer(entries)
        if not known:
            known.append(answer(history))
        return known[0]

    return remembering
