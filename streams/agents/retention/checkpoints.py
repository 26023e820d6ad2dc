"""Write the rows of an agent of source records to its inbound topic again, before retention deletes the events they were made of.

A round begins when a third of the topic's retention has passed, and writes some rows at a time, a few seconds apart: what is posted
meanwhile waits behind few of them. Each time the engine appends a record that says so, so a step needs no clock, and a round that a
kill interrupts continues where it was.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from schemas.cloudevents import EventContext, Origin
from schemas.ids import derived
from schemas.message import Message, header
from schemas.profiles.checkpoints import (
    CHECKPOINT,
    COMPLETED_TYPE,
    DUE_TYPE,
    FROM_HEADER,
    ROW_TYPE,
    CheckpointMessage,
    CheckpointRound,
)
from schemas.profiles.registers import SourceRecordRow
from schemas.topics import FOREVER, TOPICS
from streams.agents.patches import NO_REGISTERS
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Step, Table, Wake

STATE: Final = "checkpoint round"
"""The group of the row that says where a partition's round stands. It has a blank, which no name of a source has, and no colon."""

_ROWS_AT_A_TIME: Final = 500  # some 20 ms to send, and as long to read
_PAUSE_MS: Final = 5_000
_SHARE: Final = 3  # of the retention: a round that is late for as long again is still in time


Messages = Callable[[str, Table[Any], int], Iterable[bytes]]
"""Return what stands for the rows of a group on the inbound topic, in an encoding."""


Marks = Callable[[str, Table[Any]], Iterable[EventContext]]
"""Return the contexts of what a group's row stands for that concerns a whole partition, and has neither key nor value. Their ids are made here."""


Visit = Callable[[str, Message, Table[Any], Outbox], None]
"""Do what is due to a group's rows at the record of a round, before they are written again."""


def record_messages(key: str, table: Table[Any], encoding: int) -> Iterator[bytes]:
    """Yield the row of a source record, if anything is stored of it."""
    row = table.get(key)
    if isinstance(row, SourceRecordRow) and row.assignment.profile and bytes(row.registers) != bytes(NO_REGISTERS):
        yield CHECKPOINT.encode(CheckpointMessage(row.registers), encoding)


def with_checkpoints(
    agent: Agent, *, every_ms: int | None = None, pause_ms: int = _PAUSE_MS, messages: Messages = record_messages,
    marks: Marks | None = None, visit: Visit | None = None,
) -> Agent:  # fmt: skip
    """Return the agent with checkpoints of its rows on its first source; the same agent where that has no limit."""
    topic = agent.sources[0]
    retention = TOPICS[topic].retention_ms
    if retention == FOREVER:
        return agent
    checkpoints = _Checkpoints(agent.name, agent.step, topic, every_ms or retention // _SHARE, pause_ms, messages, marks, visit)
    return msgspec.structs.replace(agent, step=checkpoints.step, wake=checkpoints.wake)


class _Checkpoints(msgspec.Struct, frozen=True):
    """The checkpoints of one agent, around its own step."""

    agent: str
    inner: Step
    topic: str
    every_ms: int
    pause_ms: int
    messages: Messages
    marks: Marks | None
    visit: Visit | None

    def step(self, batch: Batch, table: Table[Any], out: Outbox) -> Cursor | None:
        """Write what is due, and have the agent process everything else."""
        if batch.topic != self.topic or not batch.records:
            return self.inner(batch, table, out)
        state = table.get(STATE)
        if not isinstance(state, CheckpointRound):
            state = CheckpointRound(batch.records[0].timestamp + self.every_ms)
            table.put(STATE, "", state)
        marks = [record for record in batch.records if not record.value and _is_mark(record)]
        if not marks:
            return self.inner(batch, table, out)
        for mark in marks:
            if mark.timestamp >= state.due and _is_due(mark):
                state = self._write(state, mark, batch, table, out)
                table.put(STATE, "", state)
        offsets = {mark.offset for mark in marks}
        records = [record for record in batch.records if record.offset not in offsets]
        return self.inner(msgspec.structs.replace(batch, records=records), table, out) if records else None

    def wake(self, table: Table[Any]) -> Wake | None:
        """Ask for the record that says that something is due."""
        state = table.get(STATE)
        if not isinstance(state, CheckpointRound):
            return None
        headers = self._context(DUE_TYPE, derived(self.agent, DUE_TYPE, state.due)).headers()
        return Wake(state.due, self.topic, b"", b"", headers)

    def _write(self, state: CheckpointRound, mark: Message, batch: Batch, table: Table[Any], out: Outbox) -> CheckpointRound:
        """Write the next rows of a round, and its end behind the last one. Return where the round then stands.

        Rows are as they were before the batch, so a round begins with its first record: what lies before the mark is not in them.
        """
        partition, began = batch.partition, batch.records[0].offset if state.began is None else state.began
        until = mark.timestamp + self.every_ms if state.began is None else state.until
        groups = list(islice(table.groups(state.after), _ROWS_AT_A_TIME))
        for key in groups:
            if self.visit is not None:
                self.visit(key, mark, table, out)
            for number, message in enumerate(self.messages(key, table, out.encoding)):
                further = (number,) if number else ()
                context = self._context(ROW_TYPE, derived(key, ROW_TYPE, partition, began, *further), key)
                out.send(self.topic, key, message, context.headers())
            for number, mark_again in enumerate(self.marks(key, table) if self.marks else ()):
                again = msgspec.structs.replace(mark_again, id=derived(key, mark_again.type, partition, began, number))
                out.send(self.topic, None, b"", again.headers(), partition=partition)
        if len(groups) == _ROWS_AT_A_TIME:
            return CheckpointRound(mark.timestamp + self.pause_ms, groups[-1], began, until)
        completed = self._context(COMPLETED_TYPE, derived(self.agent, COMPLETED_TYPE, partition, began)).headers()
        out.send(self.topic, None, b"", [*completed, (FROM_HEADER, str(began).encode())], partition=partition)
        return CheckpointRound(until)

    def _context(self, event_type: str, event_id: str, key: str | None = None) -> EventContext:
        return EventContext(
            id=event_id,
            source=f"/intercom-streams/{self.agent}",
            type=event_type,
            origin=Origin.CHECKPOINT,
            subject=key,
            partition_key=key,
        )


def _is_due(mark: Message) -> bool:
    """Return whether rows are to be written. What a replay repeats is over."""
    return header(mark.headers, "ce_type") == DUE_TYPE and header(mark.headers, "ce_origin") == Origin.CHECKPOINT


def _is_mark(record: Message) -> bool:
    """Return whether a record only says that a round is due, or complete, and nothing about a source record."""
    return header(record.headers, "ce_type") in (DUE_TYPE, COMPLETED_TYPE)
