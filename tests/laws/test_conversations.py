"""Conversations are the same whatever order, repetition and grouping their posts and readings come in."""

import pytest

from tests.support.conversations.bodies import KEY
from tests.support.conversations.histories import Story, disordered
from tests.support.conversations.oracle import expected
from tests.support.conversations.stepping import Conversations

SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_repetition_and_batching_give_the_same_bytes_and_what_a_plain_reading_says(seed):
    for story in range(5):
        records = Story(1000 * seed + story).records(12)
        straight = Conversations().feed(*records)
        for order in range(3):
            other = Conversations()
            for batch in disordered(records, order):
                other.feed(*batch)
            assert other.rows() == straight.rows()
            assert other.bytes_sent() == straight.bytes_sent()
        value, plain = straight.values()[KEY], expected(records)
        assert {name: value[name] for name in plain} == plain


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_known_in_pieces_joins_to_the_whole(seed):
    records = Story(seed).records(12)
    pieces = [Conversations().feed(*records[start::3]) for start in range(3)]
    whole, joined = Conversations().feed(*records), Conversations()
    for piece in pieces:
        joined.feed(*piece.checkpoints())
    assert joined.rows() == whole.rows()
