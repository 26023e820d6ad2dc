"""The laws about order: observations in any order, and a decision before or after what it concerns."""

import random
from collections.abc import Sequence

from tests.support.access_laws.answer import Answer, differences, final_form, has_grace
from tests.support.access_laws.edits import applied_listings, moved_decision, shuffled
from tests.support.access_oracle.log import Entry


def any_order(history: Sequence[Entry], answer: Answer, draw: random.Random, tries: int = 2) -> list[str]:
    """Any order of the observations gives the same final rows, open findings and dates.

    An order in which a listing takes longer than its hour, so that other listings are applied, is another history and is left
    out.
    """
    broken = []
    grace = has_grace(history)
    expected = final_form(answer(history), grace=grace)
    for _ in range(tries):
        other = shuffled(history, draw)
        if applied_listings(other) == applied_listings(history):
            broken += differences(expected, final_form(answer(other), grace=grace), "in another order")
    return broken


def decision_before_or_after(history: Sequence[Entry], answer: Answer, draw: random.Random, tries: int = 2) -> list[str]:
    """A decision before or after the observation that it concerns gives the same final answer. Its own date may differ."""
    broken = []
    grace = has_grace(history)
    expected = final_form(answer(history), dates=False, grace=grace)
    for _ in range(tries):
        other = moved_decision(history, draw)
        if other is not None and applied_listings(other) == applied_listings(history):
            broken += differences(expected, final_form(answer(other), dates=False, grace=grace), "with a decision moved")
    return broken
