"""A record that cannot be processed is found and set aside; the rest of its batch is processed as if it had never been there."""

import json
import random
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import MustStop, StoreFailed
from schemas.message import Headers, RecordValue
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.limits import Limits
from streams.engine.partition.dead_letter_limit import DeadLetterLimit
from streams.engine.partition.record_size import LARGEST_RECORD
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


def _make(value: bytes, made: list[bytes]) -> tuple[bytes, Headers]:
    if value == b"poison":
        raise ValueError("no value")
    made.append(value)
    return value, ()


@given(st.lists(st.sampled_from([b"x", b"y", b"poison"]), max_size=20))
def test_a_key_of_a_compacted_topic_has_one_record_in_a_transaction_however_its_batch_is_halved(values: list[bytes]) -> None:
    made: list[bytes] = []

    def step(batch: Batch, table: Table[int], out: Outbox) -> None:
        for record in batch.records:
            out.send("each", "k", record.value)
            out.note("seen")
            out.send_latest("latest", "k", partial(_make, record.value or b"", made))
            out.send_latest("latest", f"{record.offset}", partial(_make, record.value or b"", made))

    result = run_step(Agent(name="latest", sources=(SOURCE,), step=step, codec=Numbers), batch_of(values), MemoryStore())
    good = [(offset, value) for offset, value in enumerate(values) if value != b"poison"]
    assert result.dead == [value == b"poison" for value in values]
    assert result.notes["seen"] == len(good)
    assert [value for topic, _, value, *_ in result.sent if topic == "each"] == [value for _, value in good]
    latest = {key: value for topic, key, value, *_ in result.sent if topic == "latest"}
    assert latest == {f"{offset}".encode(): value for offset, value in good} | ({b"k": good[-1][1]} if good else {})
    assert len(latest) == sum(topic == "latest" for topic, *_ in result.sent)
    if good and len(good) == len(values):
        assert len(made) == len(latest)


def test_a_latest_value_too_large_for_a_record_is_the_fault_of_the_record_it_follows_from() -> None:
    def step(batch: Batch, table: Table[int], out: Outbox) -> None:
        for record in batch.records:
            value = random.Random(1).randbytes(LARGEST_RECORD) if record.value == b"large" else b""
            out.send_latest("latest", f"{record.offset}", partial(_make, value, []))

    agent = Agent(name="latest", sources=(SOURCE,), step=step, codec=Numbers)
    result = run_step(agent, batch_of([b"x", b"large", b"x"]), MemoryStore())
    assert result.dead == [False, True, False]
    assert [key for topic, key, *_ in result.sent if topic == "latest"] == [b"0", b"2"]


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
