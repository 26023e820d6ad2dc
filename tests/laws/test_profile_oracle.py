"""The agents of people and organisations against an oracle that recomputes everything from the set of inputs (tests/support/profile_laws)."""

import random

import pytest

from tests.support.profile_laws import product
from tests.support.profile_laws.answers import answers
from tests.support.profile_laws.campaign import campaign, disagreements
from tests.support.profile_laws.history import history

HISTORIES, GROUPS = 500, 10
REDUCED = {  # seed of a history by which the oracle found a fault, once
    "a contact that was merged away and deleted contributes nothing": 16,
    "archived_at is never that of a record that was merged away": 13,
    "a company that was recreated and deleted again has the later deletion": 258,
    "merges of one second are in the order of their contacts": 181,
    "people of merged records alone exist under any policy": 121,
    "an erased contact names nobody's person": 139,
}


@pytest.mark.parametrize("group", range(GROUPS))
def test_the_agents_agree_with_the_oracle_in_any_order_with_repetitions_and_in_any_batches(group):
    size = HISTORIES // GROUPS
    found = {seed: broken for seed, broken in campaign(0, group * size, histories=size) if broken}
    assert found == {}


@pytest.mark.parametrize("fault", REDUCED)
def test_a_history_that_showed_a_fault_shows_it_no_more(fault):
    assert disagreements(REDUCED[fault]) == []


@pytest.mark.parametrize("seed", range(20))
def test_the_oracle_itself_knows_no_order_but_that_of_withdrawals(seed):
    given = history(seed)
    expected = answers(given)
    moved = product.shuffled(given, random.Random(seed))
    assert answers(moved._replace(inputs=[*_foreign_in_order(given, moved)])) == expected


def _foreign_in_order(given, moved):
    """Yield the inputs of the second history, those of other systems and withdrawals where and as the first one has them."""
    ordered = (each for each in given.inputs if _is_ordered(each))
    rest = [each for each in moved.inputs if not _is_ordered(each)]
    return [*rest[: len(rest) // 2], *ordered, *rest[len(rest) // 2 :]]


def _is_ordered(given):
    return type(given).__name__ in ("Foreign", "Withdrawal")
