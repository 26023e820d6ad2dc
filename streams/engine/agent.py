"""What an agent is: a pure, synchronous step over a batch. This module is all that an author of agents needs to know.

    def step(batch: Batch, table: Table[Row], out: Outbox) -> None:
        for record in batch.records:
            event = decode(record)                        # decode
            row = merge(table.get(event.id), event)       # core
            table.put(event.id, row)                      # write
            out.send("people", event.id, encode(row))     # send

What the step puts, deletes and sends is committed with the batch's input positions in one Kafka transaction, or not at all. A
step does no I/O, reads no clock, awaits nothing and keeps nothing between calls: the engine may run it again on the same records.
If it raises, the engine finds the faulty record by bisection and sends that one to `dead.letters`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol, TypeVar

import msgspec

from schemas.errors import InvalidRecord, MustStop
from schemas.message import Headers, Message
from schemas.partition import partition_of

T = TypeVar("T")

_CHUNK: Final = 64  # records


def _key(record: Message) -> bytes:
    return record.key or b""


class Batch(msgspec.Struct, frozen=True):
    """Records of one topic partition in offset order."""

    topic: str  # without the configured prefix
    partition: int
    records: Sequence[Message]
    partitions: int = 0  # of the topic; 0 where they are not counted

    def is_in_place(self, key: bytes) -> bool:
        """Return whether this is the partition of a key: producers with another partitioner write to any of them."""
        return not self.partitions or partition_of(key, self.partitions) == self.partition

    def chunks(self) -> Iterator[Sequence[Message]]:
        """Yield the records a few at a time, for a step that goes over them in passes: decode all, then merge all ...

        Records of one key are one behind the other, in offset order; keys have no order among each other. So what a key needs, and the
        few functions of a pass, stay in the processor's caches. More records at a time would push their own data out.
        """
        records = sorted(self.records, key=_key)
        for start in range(0, len(records), _CHUNK):
            yield records[start : start + _CHUNK]


class Table(Protocol[T]):
    """One partition of the agent's table: values by (group, item).

    A group names what belongs together (a contact, a profile, a tenant) and contains no `|`; its items are in text order. The
    empty item is the group's own row. What `get` returns belongs to the table: change a copy and `put` it.
    """

    def get(self, group: str, item: str = "") -> T | None:
        """Return the value, or None."""

    def put(self, group: str, item: str, value: T) -> None:
        """Set the value."""

    def delete(self, group: str, item: str = "") -> None:
        """Delete the value; do nothing where there is none."""

    def walk(self, group: str, after: str = "") -> Iterator[tuple[str, T]]:
        """Yield the items beyond `after` in text order, without the group's own row. Do not put or delete while walking."""

    def items(self, group: str, after: str = "") -> Iterator[str]:
        """Yield what `walk` does without the values, which are not decoded."""

    def groups(self, after: str = "") -> Iterator[str]:
        """Yield the groups beyond `after` that have a row of their own, in text order. Do not put or delete while walking.

        It is for work over the whole partition, part by part: groups that are added meanwhile may be left out.
        """


MakeValue = Callable[[], tuple[bytes | None, Headers]]
"""Return a record's value, None for a tombstone, and its headers. Called at the end of the step, or not at all."""


class Outbox(Protocol):
    """Collects the records to send with the step's transaction.

    `encoding` is the encoding of the partition: values of internal topics are encoded for it, and reading a record of a newer one
    raises it (`schemas.versioned.Versioned`).
    """

    encoding: int

    def send(
        self, topic: str, key: str | bytes | None, value: bytes | None, headers: Headers = (), *, partition: int | None = None
    ) -> None:
        """Send a record: to the partition of its key (`schemas.partition`), or to the given one."""

    def send_latest(self, topic: str, key: str, make: MakeValue) -> None:
        """Send the current value of a key to a compacted topic: of several in a transaction only the last is made and sent.

        A reader of that topic wants the latest value alone; what must be seen of each event is sent with `send`.
        """

    def note(self, name: str) -> None:
        """Count something that operators should see and that stops nothing, under a name from a fixed list of the agent's."""


class Codec(Protocol[T]):
    """Encode a table's values as bytes and decode them. A codec that outlives a release is a `schemas.versioned.Versioned`."""

    def encode(self, value: T) -> bytes: ...
    def decode(self, data: bytes) -> T: ...


def unreadable_row(error: Exception) -> MustStop:
    """Return the error for a row of a table that cannot be decoded, for codecs and for parts that a step decodes itself."""
    reason = (
        str(error) if isinstance(error, InvalidRecord) else type(error).__name__
    )  # the text of other errors may quote the row
    return MustStop(
        f"a row of a table cannot be read: {reason}. Nothing was changed. It is damaged, or a release wrote it that this "
        "one does not know: go back to the release that ran before, or rebuild the agent."
    )


Cursor = bytes
"""The progress of work that is larger than a transaction: written by the step, kept by the engine beside the table."""

Step = Callable[[Batch, Any, Outbox], Cursor | None]
"""Return a cursor where work remains for `Agent.resume`. `Any` is the agent's own `Table[T]`: agents share one list."""

Continuation = Callable[[Cursor, Any, Outbox], Cursor | None]
"""Do a piece of the work and return the cursor of the rest, or None at the end.

A piece takes some milliseconds, because other partitions wait meanwhile; nothing may depend on how many of them share a transaction. Between two
transactions the partition processes one batch of new records, which may change rows that the work has not reached. A cursor is at most 16 kB:
each transaction writes it.
"""


class Wake(msgspec.Struct, frozen=True):
    """A request to be woken: at that instant (ms since 1970) the engine appends the given record to the agent's source topic."""

    at: int
    topic: str
    key: bytes
    value: bytes
    headers: Headers = ()


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A step with the topics it reads and the table it keeps.

    All `sources` have the same number of partitions; partition p of each feeds partition p of the table. What those in `leading`
    hold when the partition is opened is processed before anything of the others: rules before what they apply to. `wake` returns the
    earliest instant at which the partition wants to be woken, given its table; the engine calls it after each commit and appends
    the record once the partition is live and caught up. `resume` continues work that a step did not finish (a policy change over
    a whole group), one transaction at a time, alternating with new records; the pending work of several steps is done in the
    order in which it arose.
    """

    name: str
    sources: tuple[str, ...]
    step: Step
    codec: Codec[Any]
    wake: Callable[[Any], Wake | None] | None = None
    resume: Continuation | None = None
    leading: tuple[str, ...] = ()
