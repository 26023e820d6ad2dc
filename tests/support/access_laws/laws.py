"""The laws of the access answers as functions of a history and of who answers it: each returns the sentences that break it.

The laws read the facts by themselves as far as they can (who left, what was decided when) and take from the oracle only the plain
readers of the log: which listings are complete, which decisions are in force.
"""

import random
from collections.abc import Sequence

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


def broken_laws(
    history: Sequence[Entry],
    answer: Answer,
    draw: random.Random,
    *,
    quick: Answer | None = None,
    steps: Sequence[Answers] | None = None,
) -> dict[str, list[str]]:
    """Check all laws on one history; a law that holds has an empty list.

    `quick` may leave out findings: it serves the laws that use rows only. `steps` are the answers after each fact, if known.
    """
    answer = _remembered(history, answer, steps)
    rows = _remembered(history, quick, None) if quick else answer
    return {
        "no leaver passes": no_leaver_passes(history, answer, steps),
        "less data": less_data(history, rows),
        "silence": silence(history, answer),
        "staleness": staleness(history, answer),
        "any order": any_order(history, answer, draw),
        "decision before or after": decision_before_or_after(history, answer, draw),
        "others change nothing": others_change_nothing(history, rows, draw),
        "no event before its causes": no_event_before_causes(history, answer),
        "exemption never passes": exemption_never_passes(history, answer),
        "grace only delays": grace_only_delays(history, answer),
        "deadlines hold": deadlines_hold(steps or []),
        "ticks change nothing": ticks_change_nothing(history, answer, draw),
    }


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
