"""Two releases of one product that counts. The tallies of the second also contain how many were counted by the second release.

The first agent counts records by key and sends each count to the second agent, which has other partitions and sends it to the
output. So both a table and an internal topic pass from release to release, and the oracle of both is a Counter.
"""

from functools import partial
from typing import Any

import msgspec

from schemas.versioned import PreviousVersion, Versioned
from streams.engine.agent import Agent, Batch, Outbox, Table
from tests.support.counting_agent import OUT, SECOND, SOURCE


class Tally(msgspec.Struct, frozen=True, array_like=True):
    """A count, and the part of it that was counted in encoding 2: that part is lost when a row returns to encoding 1."""

    count: int
    late: int


OLD = Versioned(int)
NEW = Versioned(Tally, since=2, before=PreviousVersion(OLD, lambda count: Tally(count, 0), lambda tally: tally.count))


def agents_of(release: int) -> tuple[Agent, Agent]:
    """Return the agents of release 1 or 2."""
    codec: Versioned[Any] = {1: OLD, 2: NEW}[release]
    return (
        Agent(name="count", sources=(SOURCE,), step=partial(_count, codec), codec=codec),
        Agent(name="say", sources=(SECOND,), step=partial(_forward, codec), codec=codec),
    )


def _count(codec: Versioned[Any], batch: Batch, table: Table[Any], out: Outbox) -> None:
    for record in batch.records:
        key = (record.key or b"").decode()
        tally = _increment(codec, table.get(key))
        table.put(key, "", tally)
        out.send(SECOND, f"{key}'", codec.encode(tally, out.encoding))


def _increment(codec: Versioned[Any], tally: Any) -> Any:
    if codec is OLD:
        return (tally or 0) + 1
    return Tally(1, 1) if tally is None else Tally(tally.count + 1, tally.late + 1)


def _forward(codec: Versioned[Any], batch: Batch, table: Table[Any], out: Outbox) -> None:
    for record in batch.records:
        key = (record.key or b"").decode()
        tally = codec.receive(record.value or b"", out)
        table.put(key, "", tally)
        out.send(OUT, key, str(tally if codec is OLD else tally.count).encode())
