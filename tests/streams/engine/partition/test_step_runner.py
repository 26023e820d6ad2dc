"""A record that cannot be processed is found and set aside; the rest of its batch is processed as if it had never been there."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import MustStop, StoreFailed
from schemas.message import RecordValue
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.limits import Limits
from streams.engine.partition.dead_letter_limit import DeadLetterLimit
from streams.engine.partition.step_runner import StepResult, run_step
from streams.engine.tables.store import MemoryStore
from tests.support.counting_agent import SOURCE, Numbers, counting


def batch_of(values: list[bytes]) -> Batch:
    return Batch(SOURCE, 0, [RecordValue(key=b"k", value=value, offset=offset) for offset, value in enumerate(values)])


def run(values: list[bytes]) -> StepResult:
    return run_step(counting(), batch_of(values), MemoryStore())


@given(st.lists(st.sampled_from([b"x", b"poison"]), max_size=40))
def test_good_records_count_as_if_the_poison_were_not_there(values: list[bytes]) -> None:
    result = run(values)
    good = [offset for offset, value in enumerate(values) if value == b"x"]
    outputs = [json.loads(value or b"") for topic, _, value, _, _ in result.sent if topic == "out"]
    assert [(output["n"], output["offset"]) for output in outputs] == list(zip(range(1, len(good) + 1), good, strict=True))
    assert result.dead == [value == b"poison" for value in values]
    assert [value for topic, _, value, _, _ in result.sent if topic == "dead.letters"] == [b"poison"] * sum(result.dead)


def test_a_step_that_asks_to_stop_is_not_isolated() -> None:
    def stop(batch: Batch, table: Table[int], out: Outbox) -> None:
        raise MustStop("no")

    with pytest.raises(MustStop):
        run_step(Agent(name="stop", sources=(SOURCE,), step=stop, codec=Numbers), batch_of([b"x"]), MemoryStore())


def test_a_table_that_cannot_be_read_is_no_records_fault() -> None:
    class Broken(MemoryStore):
        def get(self, key: str) -> bytes | None:
            raise StoreFailed("the disk failed")

    with pytest.raises(StoreFailed):
        run_step(counting(), batch_of([b"x"]), Broken())


def test_the_brake_stops_at_so_many_in_a_row() -> None:
    limit = DeadLetterLimit("count", Limits(dead_letter_consecutive=3))
    limit.check([True, True, False, True])
    with pytest.raises(MustStop, match="3 records in a row"):
        limit.check([True, True])


def test_the_brake_says_where_one_of_the_records_lies_and_why_it_could_not_be_processed() -> None:
    limit = DeadLetterLimit("count", Limits(dead_letter_consecutive=2))
    with pytest.raises(MustStop, match="such as the one at offset 7 of partition 1 of in: the value says so"):
        limit.check([True, True], "offset 7 of partition 1 of in: the value says so")


def test_the_brake_stops_at_a_share_of_the_last_records() -> None:
    limit = DeadLetterLimit("count", Limits(dead_letter_window=100, dead_letter_share=0.2, dead_letter_consecutive=1_000))
    limit.check([False] * 95 + [True] * 5)
    with pytest.raises(MustStop, match="of the last"):
        limit.check([True, False, False] * 40)


def test_old_failures_are_forgotten_by_the_brake() -> None:
    limit = DeadLetterLimit("count", Limits(dead_letter_window=100, dead_letter_share=0.2, dead_letter_consecutive=1_000))
    for _ in range(50):
        limit.check([True] * 15 + [False] * 85)
