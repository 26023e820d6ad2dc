"""An agent whose work is larger than a transaction: one record asks for a change of every row of a group, and it goes part by part.

`raise` adds one to each row, `sum` says how many rows have which number, `change` adds a thousand to one row, anything else is answered.
Each part and each answer is one record in the partition of the rows, so the log itself tells what came between what.
"""

from collections import Counter
from itertools import islice

import msgspec

from connectors.kafka.settings import KafkaSettings
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.naming import Naming
from tests.support.counting_agent import OUT, SOURCE, Numbers, producing

GROUP, CHANGE, PART = "all", 1_000, 5_000
_AT_ONCE = 10_000  # rows in a batch: they have to fit


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """Where a work stands."""

    work: str
    partition: int
    after: str = ""
    numbers: dict[int, int] = {}


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One output: a part's items, an answer to the record at an offset, or a sum."""

    part: list[str] | None = None
    answer: int | None = None
    numbers: dict[int, int] | None = None


def step(batch: Batch, table: Table[int], out: Outbox) -> bytes | None:
    """Answer, or begin a work."""
    left: bytes | None = None
    for record in batch.records:
        if record.value in (b"raise", b"sum"):
            assert left is None, "one work for each batch is enough here"
            left = msgspec.json.encode(Cursor(work=record.value.decode(), partition=batch.partition))
        elif record.value == b"change":
            item = (record.key or b"").decode()
            table.put(GROUP, item, (table.get(GROUP, item) or 0) + CHANGE)
        else:
            _say(Said(answer=record.offset), batch.partition, out)
    return left


def go_on(cursor: bytes, table: Table[int], out: Outbox) -> bytes | None:
    """Do one part."""
    now = msgspec.json.decode(cursor, type=Cursor)
    rows = list(islice(table.walk(GROUP, now.after), PART))
    if now.work == "raise":
        for item, number in rows:
            table.put(GROUP, item, number + 1)
        _say(Said(part=[item for item, _ in rows]), now.partition, out)
    numbers = Counter(now.numbers) + Counter(number for _, number in rows) if now.work == "sum" else {}
    if len(rows) == PART:
        return msgspec.json.encode(msgspec.structs.replace(now, after=rows[-1][0], numbers=dict(numbers)))
    if now.work == "sum":
        _say(Said(numbers=dict(numbers)), now.partition, out)
    return None


def _say(said: Said, partition: int, out: Outbox) -> None:
    out.send(OUT, None, msgspec.json.encode(said), partition=partition)


AGENT = Agent(name="continue", sources=(SOURCE,), step=step, codec=Numbers, resume=go_on)


def item_of(number: int) -> str:
    """Name a row, in the order of numbers."""
    return f"{number:07d}"


async def fill(kafka: KafkaSettings, rows: int, partition: int = 0) -> None:
    """Write a table of so many ones into the changelog, as the engine does."""
    changelog = kafka.topic(Naming(prefix=kafka.topic_prefix).changelog(AGENT.name))
    name, one = f"{kafka.topic_prefix}filler", Numbers.encode(1)
    async with (
        producing(kafka, transactional_id=name, max_batch_size=512 << 10, compression_type="zstd") as producer,
        producer.transaction(),
    ):
        for start in range(0, rows, _AT_ONCE):
            batch = producer.create_batch()
            for number in range(start, min(start + _AT_ONCE, rows)):
                added = batch.append(key=f"{GROUP}|{item_of(number)}".encode(), value=one, timestamp=None)
                assert added is not None
            await (await producer.send_batch(batch, changelog, partition=partition))
