"""Run a step over a batch and find the records it cannot process: halve until the one at fault stands alone."""

import traceback
from collections.abc import Sequence
from typing import Any

from schemas.dead_letters import TOPIC, dead_letter, shortened
from schemas.errors import InvalidRecord, MustStop, StoreFailed
from schemas.message import Headers, Message
from schemas.versioned import ENCODING
from streams.engine.agent import Agent, Batch, Cursor
from streams.engine.partition.record_size import LARGEST_DEAD_LETTER, PLAIN, fits
from streams.engine.partition.table_view import Savepoint, TableView
from streams.engine.tables.store import Store

_UTF8 = 4  # bytes of a character at most
_LONGEST_CURSOR = 16 << 10  # bytes: as many as may be left over are written with every transaction


class StepResult:
    """What one transaction will make true: the view's changes and the records sent, and which input records are dead."""

    def __init__(self, store: Store, agent: Agent, encoding: int) -> None:
        self.view: TableView[Any] = TableView(store, agent.codec)
        self.sent: list[tuple[str, bytes | None, bytes | None, Headers, int | None]] = []
        self.dead: list[bool] = []
        self.last_error = ""
        self.pending_work: list[Cursor] = []
        self.encoding = encoding
        self._written: dict[str, bytes | None] = {}
        self._written_in = encoding

    def send(
        self, topic: str, key: str | bytes | None, value: bytes | None, headers: Headers = (), *, partition: int | None = None
    ) -> None:
        """Implement `streams.engine.agent.Outbox`. Raises InvalidRecord for a record that no broker takes."""
        raw = key.encode() if isinstance(key, str) else key
        if (headers or len(raw or b"") + len(value or b"") > PLAIN) and not fits(raw, value, headers):
            raise InvalidRecord(f"what follows from it for {topic} is larger than a record may be")
        self.sent.append((topic, raw, value, headers, partition))

    def finish(self, since: Savepoint[Any], cursor: Cursor | None) -> None:
        """Encode what was changed since then, while what cannot be written is still the fault of few records."""
        if cursor is not None and len(cursor) > _LONGEST_CURSOR:
            raise InvalidRecord("where the work left over from it stands takes more room than there is for it")
        for key, data in (fresh := self.view.changes(self.encoding, since)).items():
            if data is not None and len(key) * _UTF8 + len(data) > PLAIN and not fits(key.encode(), data):
                raise InvalidRecord("a row of the table would become larger than a record may be")
        self._written |= fresh
        self._written_in = min(self._written_in, self.encoding)

    def changes(self) -> dict[str, bytes | None]:
        """Return what is to be written to the table."""
        return self._written if self._written_in == self.encoding else self.view.changes(self.encoding)


def run_step(agent: Agent, batch: Batch, store: Store, encoding: int = ENCODING) -> StepResult:
    """Return what the step makes of the batch; records it raises on are in the outcome as dead letters.

    MustStop passes through, and StoreFailed: neither is a record's fault.
    """
    outcome = StepResult(store, agent, encoding)
    _run(agent, batch, batch.records, outcome)
    return outcome


def resume_step(agent: Agent, cursor: Cursor, store: Store, encoding: int = ENCODING) -> StepResult:
    """Return what the next part of left-over work makes true. An error there is no record's fault: it stops the process."""
    if agent.resume is None:
        raise MustStop(
            f"the {agent.name} agent of this release leaves no work over, yet some is left: a newer release began it. "
            "Start this worker with that release."
        )
    outcome = StepResult(store, agent, encoding)
    try:
        rest = agent.resume(cursor, outcome.view, outcome)
        outcome.finish(None, rest)
    except (MustStop, StoreFailed):
        raise
    except Exception as error:
        raise MustStop(
            f"the {agent.name} agent failed at work left over from a record: {safe_reason(error)}. Deploy a repaired release."
        ) from error
    if rest is not None:
        outcome.pending_work.append(rest)
    return outcome


def _run(agent: Agent, batch: Batch, records: Sequence[Message], outcome: StepResult) -> None:
    mark, sent = outcome.view.savepoint(), len(outcome.sent)
    try:
        cursor = agent.step(Batch(batch.topic, batch.partition, records), outcome.view, outcome)
        outcome.finish(mark, cursor)
    except (MustStop, StoreFailed):
        raise
    except Exception as error:  # noqa: BLE001  # whatever a step raises is the record's fault until the brake says otherwise
        outcome.view.rollback(mark)
        del outcome.sent[sent:]
        if len(records) == 1:
            _dead_letter(agent, batch, records[0], error, outcome)
            return
        middle = len(records) // 2
        _run(agent, batch, records[:middle], outcome)
        _run(agent, batch, records[middle:], outcome)
    else:
        outcome.dead.extend(False for _ in records)
        if cursor is not None:
            outcome.pending_work.append(cursor)


def _dead_letter(agent: Agent, batch: Batch, record: Message, error: Exception, outcome: StepResult) -> None:
    reason = safe_reason(error)
    letter = dead_letter(batch.topic, batch.partition, record, reason, agent.name)
    if not fits(letter.key, letter.value, letter.headers, largest=LARGEST_DEAD_LETTER):
        letter = shortened(letter)
    outcome.sent.append((TOPIC, *letter, None))
    outcome.dead.append(True)
    outcome.last_error = f"offset {record.offset} of partition {batch.partition} of {batch.topic}: {reason}"


def safe_reason(error: Exception) -> str:
    """Say why without saying whose: our own errors carry no payload, of others only the kind and the place are told."""
    if isinstance(error, InvalidRecord):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
