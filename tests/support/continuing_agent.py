"""An agent whose work is larger than a transaction: one record requests a change of every row of a group, done in parts.

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

GROUP, CHANGE, PART = "all", 1_000, 2_000
_BATCH_ROWS = 10_000  # they have to fit into a producer's batch


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of one piece of work."""

    work: str
    partition: int
    after: str = ""
    numbers: dict[int, int] = {}


class Output(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One output: a part's items, an answer to the record at an offset, or a sum."""

    part: list[str] | None = None
    answer: int | None = None
    numbers: dict[int, int] | None = None


def step(batch: Batch, table: Table[int], out: Outbox) -> bytes | None:
    """Answer, or begin work."""
    cursor: bytes | None = None
    for record in batch.records:
        if record.value in (b"raise", b"sum"):
            assert cursor is None, "one piece of work for each batch is enough here"
            cursor = msgspec.json.encode(Cursor(work=record.value.decode(), partition=batch.partition))
        elif record.value == b"change":
            item = (record.key or b"").decode()
            table.put(GROUP, item, (table.get(GROUP, item) or 0) + CHANGE)
        else:
            _send(Output(answer=record.offset), batch.partition, out)
    return cursor


def resume(data: bytes, table: Table[int], out: Outbox) -> bytes | None:
    """Do one part."""
    cursor = msgspec.json.decode(data, type=Cursor)
    rows = list(islice(table.walk(GROUP, cursor.after), PART))
    if cursor.work == "raise":
        for item, number in rows:
            table.put(GROUP, item, number + 1)
        _send(Output(part=[item for item, _ in rows]), cursor.partition, out)
    numbers = Counter(cursor.numbers) + Counter(number for _, number in rows) if cursor.work == "sum" else {}
    if len(rows) == PART:
        return msgspec.json.encode(msgspec.structs.replace(cursor, after=rows[-1][0], numbers=dict(numbers)))
    if cursor.work == "sum":
        _send(Output(numbers=dict(numbers)), cursor.partition, out)
    return None


def _send(output: Output, partition: int, out: Outbox) -> None:
    out.send(OUT, None, msgspec.json.encode(output), partition=partition)


AGENT = Agent(name="continue", sources=(SOURCE,), step=step, codec=Numbers, resume=resume)


def item_of(number: int) -> str:
    """Name a row, in the order of numbers."""
    return f"{number:07d}"


async def fill(kafka: KafkaSettings, rows: int, partition: int = 0) -> None:
    """Write a table with this many ones into the changelog, as the engine does."""
    changelog = kafka.topic(Naming(prefix=kafka.topic_prefix).changelog(AGENT.name))
    name, one = f"{kafka.topic_prefix}filler", Numbers.encode(1)
    async with (
        producing(kafka, transactional_id=name, max_batch_size=512 << 10, compression_type="zstd") as producer,
        producer.transaction(),
    ):
        for start in range(0, rows, _BATCH_ROWS):
            batch = producer.create_batch()
            for number in range(start, min(start + _BATCH_ROWS, rows)):
                added = batch.append(key=f"{GROUP}|{item_of(number)}".encode(), value=one, timestamp=None)
                assert added is not None
            await (await producer.send_batch(batch, changelog, partition=partition))
