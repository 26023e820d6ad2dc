"""An agent whose work is larger than a transaction: one record asks for a change of every row of a group, done part by part.

`raise` adds one to each row, `sum` counts the rows by number, `change` adds a thousand to one row, anything else is answered.
Each part and each answer is one record in the partition of the rows, so the log shows their order.
"""

from collections import Counter
from itertools import islice

import msgspec

from connectors.kafka.settings import KafkaSettings
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.naming import Naming
from tests.support.counting_agent import OUT, SOURCE, Numbers, producing

GROUP, CHANGE, PART = "all", 1_000, 5_000
_BATCH_ROWS = 10_000  # rows that fit into one batch of the producer


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """How far the work has come."""

    work: str
    partition: int
    after: str = ""
    numbers: dict[int, int] = {}


class Output(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One output: the items of a part, the answer to the record at an offset, or a sum."""

    part: list[str] | None = None
    answer: int | None = None
    numbers: dict[int, int] | None = None


def step(batch: Batch, table: Table[int], out: Outbox) -> bytes | None:
    """Answer each record, or begin the work that it asks for."""
    cursor: bytes | None = None
    for record in batch.records:
        if record.value in (b"raise", b"sum"):
            assert cursor is None, "at most one record of a batch may ask for work"
            cursor = msgspec.json.encode(Cursor(work=record.value.decode(), partition=batch.partition))
        elif record.value == b"change":
            item = (record.key or b"").decode()
            table.put(GROUP, item, (table.get(GROUP, item) or 0) + CHANGE)
        else:
            _send(Output(answer=record.offset), batch.partition, out)
    return cursor


def resume(cursor: bytes, table: Table[int], out: Outbox) -> bytes | None:
    """Do the next part."""
    position = msgspec.json.decode(cursor, type=Cursor)
    rows = list(islice(table.walk(GROUP, position.after), PART))
    if position.work == "raise":
        for item, number in rows:
            table.put(GROUP, item, number + 1)
        _send(Output(part=[item for item, _ in rows]), position.partition, out)
    numbers = Counter(position.numbers) + Counter(number for _, number in rows) if position.work == "sum" else {}
    if len(rows) == PART:
        return msgspec.json.encode(msgspec.structs.replace(position, after=rows[-1][0], numbers=dict(numbers)))
    if position.work == "sum":
        _send(Output(numbers=dict(numbers)), position.partition, out)
    return None


def _send(output: Output, partition: int, out: Outbox) -> None:
    out.send(OUT, None, msgspec.json.encode(output), partition=partition)


AGENT = Agent(name="continue", sources=(SOURCE,), step=step, codec=Numbers, resume=resume)


def item_of(number: int) -> str:
    """Return the key of a row; keys have the order of the numbers."""
    return f"{number:07d}"


async def fill(kafka: KafkaSettings, rows: int, partition: int = 0) -> None:
    """Write a table of so many rows with the number 1 into the changelog, as the engine does."""
    changelog = kafka.topic(Naming(prefix=kafka.topic_prefix).changelog(AGENT.name))
    name, value = f"{kafka.topic_prefix}filler", Numbers.encode(1)
    async with (
        producing(kafka, transactional_id=name, max_batch_size=512 << 10, compression_type="zstd") as producer,
        producer.transaction(),
    ):
        for start in range(0, rows, _BATCH_ROWS):
            batch = producer.create_batch()
            for number in range(start, min(start + _BATCH_ROWS, rows)):
                added = batch.append(key=f"{GROUP}|{item_of(number)}".encode(), value=value, timestamp=None)
                assert added is not None
            await (await producer.send_batch(batch, changelog, partition=partition))
