"""A step's outputs are measured before they are sent: one that no broker accepts is the fault of one input record."""

import hashlib
import json
import random
from types import SimpleNamespace

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.dead_letters import TOPIC
from schemas.errors import MustStop
from schemas.message import Headers, RecordValue, header
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.partition.record_size import LARGEST_DEAD_LETTER, LARGEST_RECORD, fits
from streams.engine.partition.step_runner import StepResult, resume_step, run_step
from streams.engine.tables.store import MemoryStore
from tests.support.counting_agent import OUT, SOURCE

NOISE = random.Random(1).randbytes(3 << 20)  # cannot be compressed
ZSTD = 4  # Kafka's number of this compression


class Text:
    """A table of text; `broken` cannot be encoded."""

    @staticmethod
    def encode(value: bytes) -> bytes:
        if value == b"broken":
            raise ValueError("secret@example.com cannot be encoded")
        return value

    decode = staticmethod(bytes)


def keep(batch: Batch, table: Table[bytes], out: Outbox) -> None:
    """Append each value to its key's row, or send it on."""
    for record in batch.records:
        key, value = (record.key or b"").decode(), record.value or b""
        if key == "out":
            out.send(OUT, key, value, record.headers)
        else:
            table.put(key, "", (table.get(key) or b"") + value)


KEEP = Agent(name="keep", sources=(SOURCE,), step=keep, codec=Text)


def run(*records: tuple[str, bytes], headers: Headers = ()) -> StepResult:
    records = [RecordValue(key.encode(), value, headers, offset=offset) for offset, (key, value) in enumerate(records)]
    return run_step(KEEP, Batch(SOURCE, 3, records), MemoryStore())


def letters(result: StepResult) -> list[SimpleNamespace]:
    return [
        SimpleNamespace(key=key, value=value, headers=headers) for topic, key, value, headers, _ in result.sent if topic == TOPIC
    ]


def batch_size(key: bytes, value: bytes, headers: Headers) -> int:
    builder = BatchBuilder(512 << 10, ZSTD, is_transactional=1)
    builder.append(timestamp=None, key=key, value=value, headers=list(headers))
    builder.close()
    return len(builder._build())


@pytest.mark.parametrize(
    "size", [0, 1, LARGEST_RECORD - 2_000, LARGEST_RECORD - 300, LARGEST_RECORD - 200, LARGEST_RECORD, 3 << 20]
)
@pytest.mark.parametrize("headers", [(), (("a", b"x"), ("ce_id", b"y" * 90))])
@pytest.mark.parametrize("content", [NOISE, b"x" * len(NOISE)])
def test_what_is_said_to_fit_fits_as_the_producer_packs_it(size: int, headers: Headers, content: bytes) -> None:
    if fits(b"k", content[:size], headers):
        assert batch_size(b"k", content[:size], headers) <= LARGEST_RECORD
    else:
        assert batch_size(b"k", content[:size], headers) > LARGEST_RECORD - 200, "a record that fits was refused"


def test_an_output_that_can_never_be_written_is_a_dead_letter_and_its_neighbours_go_on() -> None:
    result = run(("k", b"a"), ("out", NOISE[: LARGEST_RECORD - 100]), ("k", b"b"))
    assert result.dead == [False, True, False]
    assert result.changes() == {"k": b"ab"}
    assert header(letters(result)[0].headers, "dl_reason") == "what follows from it for out is larger than a record may be"


def test_headers_count_too() -> None:
    assert run(("out", b"x"), headers=[("h", NOISE)]).dead == [True]


def test_a_row_that_grows_too_large_is_the_fault_of_the_record_that_made_it_so() -> None:
    result = run(("k", NOISE[: 1 << 20]), ("k", NOISE[1 << 20 : 5 << 19]), ("k", b"end"), ("other", b"x"))
    assert result.dead == [False, True, False, False]
    assert result.changes() == {"k": NOISE[: 1 << 20] + b"end", "other": b"x"}


def test_a_row_that_cannot_be_encoded_is_a_dead_letter_too() -> None:
    result = run(("k", b"a"), ("other", b"broken"), ("k", b"b"))
    assert result.dead == [False, True, False]
    assert result.changes() == {"k": b"ab"}
    assert "secret@example.com" not in (header(letters(result)[0].headers, "dl_reason") or "")


def test_a_poison_record_as_large_as_a_record_may_be_is_kept_whole() -> None:
    value = NOISE[: LARGEST_RECORD - 200]
    letter = letters(run(("out", value), headers=[("ce_id", b"e1")] * 5))[0]
    assert letter.value == value
    assert header(letter.headers, "dl_cut") is None


def test_a_poison_record_too_large_for_a_letter_is_kept_in_part_and_can_be_told_from_others() -> None:
    letter = letters(run(("out", NOISE), headers=[("ce_id", b"e1")]))[0]
    assert fits(letter.key, letter.value, letter.headers, largest=LARGEST_DEAD_LETTER)
    assert NOISE.startswith(letter.value)
    assert len(letter.value) >= 1_000
    shown = {name: header(letter.headers, f"dl_{name}") for name in ("topic", "partition", "offset", "cut", "bytes", "sha256")}
    assert shown == {
        "topic": SOURCE,
        "partition": "3",
        "offset": "0",
        "cut": "value",
        "bytes": str(len(NOISE)),
        "sha256": hashlib.sha256(NOISE).hexdigest(),
    }
    assert header(letter.headers, "ce_id") == "e1"


def test_left_over_work_that_makes_too_large_a_record_stops_the_process() -> None:
    def huge(cursor: bytes, table: Table[bytes], out: Outbox) -> None:
        out.send(OUT, "k", NOISE)

    with pytest.raises(MustStop, match="larger than a record may be"):
        resume_step(Agent(name="keep", sources=(SOURCE,), step=keep, codec=Text, resume=huge), b"", MemoryStore())


def test_a_cursor_that_takes_too_much_room_is_its_records_fault() -> None:
    def leave(batch: Batch, table: Table[bytes], out: Outbox) -> bytes:
        out.send(OUT, "k", b"x")
        return b"x" * 100_000

    result = run_step(
        Agent(name="leave", sources=(SOURCE,), step=leave, codec=Text), Batch(SOURCE, 0, [RecordValue(b"k", b"v")]), MemoryStore()
    )
    assert result.dead == [True]
    assert result.pending_work == []
    assert [topic for topic, *_ in result.sent] == [TOPIC]


def test_the_last_death_says_where_and_why_but_not_what() -> None:
    result = run(("k", b"a"), ("other", b"broken"))
    assert result.last_error.startswith(f"offset 1 of partition 3 of {SOURCE}: ValueError at encode, line ")
    assert json.dumps(result.last_error).count("secret") == 0
