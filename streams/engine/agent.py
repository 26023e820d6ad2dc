"""What an agent is: a pure, synchronous step over a batch. This is all a writer of agents has to know.

    def step(batch: Batch, table: Table[Row], out: Outbox) -> None:
        for record in batch.records:
            event = decode(record)                        # decode
            row = merge(table.get(event.id), event)       # core
            table.put(event.id, row)                      # write
            out.send("people", event.id, encode(row))     # send

What the step puts, deletes and sends becomes true together with the batch's input positions, in one Kafka transaction, or not at
all. A step does no I/O, reads no clock, awaits nothing and keeps nothing between calls: it may be run again on the same records.
If it raises, the engine finds the record at fault by bisection and sends that one to `dead.letters`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from schemas.message import Headers, Message

T = TypeVar("T")


class Batch(msgspec.Struct, frozen=True):
    """Records of one topic partition in offset order."""

    topic: str  # without the configured prefix
    partition: int
    records: Sequence[Message]


class Table(Protocol[T]):
    """One partition of the agent's table: values by (group, item).

    A group names what lives together (a contact, a profile, a tenant) and holds no `|`; items order as text within it. The empty item
    is the group's own row. What `get` returns belongs to the table: change a copy and `put` it.
    """

    def get(self, group: str, item: str = "") -> T | None:
        """Return the value, or None."""

    def put(self, group: str, item: str, value: T) -> None:
        """Set the value."""

    def delete(self, group: str, item: str = "") -> None:
        """Forget the value; nothing happens where there is none."""

    def walk(self, group: str, after: str = "") -> Iterator[tuple[str, T]]:
        """Yield the group's items beyond `after` in text order, without its own row. Do not put or delete while walking."""


class Outbox(Protocol):
    """Where a step leaves what is to be sent with its transaction.

    `encoding` is what the partition is written in: values of internal topics are encoded for it, and a record of a newer one that is
    read raises it (`schemas.versioned.Versioned`).
    """

    encoding: int

    def send(
        self, topic: str, key: str | bytes | None, value: bytes | None, headers: Headers = (), *, partition: int | None = None
    ) -> None:
        """Send a record: to the partition of its key (`schemas.partition`), or to the one named."""


class Codec(Protocol[T]):
    """How a table's values become bytes and return. One that outlives a release is a `schemas.versioned.Versioned`."""

    def encode(self, value: T) -> bytes: ...
    def decode(self, data: bytes) -> T: ...


Cursor = bytes
"""Where work that is larger than a transaction stands: the step's own words, kept by the engine beside the table."""

Step = Callable[[Batch, Any, Outbox], Cursor | None]
"""Returns a cursor where work is left over for `Agent.go_on`. `Any` is the agent's own `Table[T]`: agents share one list."""

Continuation = Callable[[Cursor, Any, Outbox], Cursor | None]
"""Do a bounded part of the work and return the cursor of the rest, or None at its end.

Between two parts the partition has one batch of new records, which may change rows the work has not reached. A part is a transaction: some
thousand rows, and a fifth of a second at most, for other partitions wait meanwhile. A cursor is at most 16 kB: it is written each time.
"""


class Wake(msgspec.Struct, frozen=True):
    """A wish to be woken: at that instant (ms since 1970), the record given is appended to the agent's source topic."""

    at: int
    topic: str
    key: bytes
    value: bytes
    headers: Headers = ()


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A step with the topics it reads and the table it keeps.

    All `sources` have equally many partitions; partition p of each feeds partition p of the table. `wake` names the earliest instant
    at which the partition wants to be woken, given its table; the engine asks after each commit, when live and caught up.
    `go_on` continues work that a step left over (a policy change over a whole group), a transaction at a time, in turn with new
    records; left-over work of several steps is done in the order it arose.
    """

    name: str
    sources: tuple[str, ...]
    step: Step
    codec: Codec[Any]
    wake: Callable[[Any], Wake | None] | None = None
    resume: Continuation | None = None
