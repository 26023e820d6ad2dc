"""Run a step over a batch and find the records that it cannot process: halve the batch until a faulty record is alone."""

import traceback
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from schemas.dead_letters import TOPIC, dead_letter, shortened
from schemas.errors import InvalidRecord, MustStop, StoreFailed
from schemas.message import Headers, Message
from schemas.versioned import ENCODING
from streams.engine.agent import Agent, Batch, Cursor, MakeValue
from streams.engine.partition.record_size import ALWAYS_FITS, LARGEST_DEAD_LETTER, OutputRecord, fits
from streams.engine.partition.table_view import Savepoint, TableView
from streams.engine.tables.store import Store

_UTF8 = 4  # bytes of a character at most
_LONGEST_CURSOR = 16 << 10  # bytes: every transaction writes all cursors of the partition


class StepResult:
    """What one transaction will commit: the view's changes and the records sent, and which input records are dead."""

    def __init__(self, store: Store, agent: Agent, encoding: int) -> None:
        self.view: TableView[Any] = TableView(store, agent.codec)
        self.sent: list[OutputRecord] = []
        self.dead: list[bool] = []
        self.last_error = ""
        self.pending_work: list[Cursor] = []
        self.notes: Counter[str] = Counter()
        self.encoding = encoding
        self._latest: dict[tuple[str, str], MakeValue] = {}  # of the step that runs
        self._made: dict[tuple[str, str], OutputRecord] = {}  # of the steps that have ended
        self._encoded: dict[str, bytes | None] = {}
        self._lowest_encoding = encoding  # of the rows in `_encoded`

    def send(
        self, topic: str, key: str | bytes | None, value: bytes | None, headers: Headers = (), *, partition: int | None = None
    ) -> None:
        """Implement `streams.engine.agent.Outbox`. Raises InvalidRecord for a record that no broker accepts."""
        self.sent.append(_output(topic, key.encode() if isinstance(key, str) else key, value, headers, partition))

    def send_latest(self, topic: str, key: str, make: MakeValue) -> None:
        """Implement `streams.engine.agent.Outbox`."""
        self._latest[topic, key] = make

    def note(self, name: str) -> None:
        """Implement `streams.engine.agent.Outbox`."""
        self.notes[name] += 1

    def finish(self, since: Savepoint[Any], cursor: Cursor | None) -> None:
        """Make the latest values and encode the changes since then: what cannot be written is still the fault of few records."""
        if cursor is not None and len(cursor) > _LONGEST_CURSOR:
            raise InvalidRecord("the cursor of the work that follows from it is larger than a cursor may be")
        for key, data in (encoded := self.view.changes(self.encoding, since)).items():
            if data is not None and len(key) * _UTF8 + len(data) > ALWAYS_FITS and not fits(key.encode(), data):
                raise InvalidRecord("a row of the table would become larger than a record may be")
        made = {target: _output(target[0], target[1].encode(), *make(), None) for target, make in self._latest.items()}
        self._made |= made
        self._latest.clear()
        self._encoded |= encoded
        self._lowest_encoding = min(self._lowest_encoding, self.encoding)

    def rollback(self, savepoint: Savepoint[Any], sent: int, notes: Counter[str]) -> None:
        """Undo a step that raised: its changes, what it sent beyond so many records, and what it noted since."""
        self.view.rollback(savepoint)
        del self.sent[sent:]
        self.notes = notes
        self._latest.clear()

    def close(self) -> None:
        """Send the latest values of all steps: a key has one, also where a batch was halved to find a faulty record."""
        self.sent += self._made.values()
        self._made.clear()

    def changes(self) -> dict[str, bytes | None]:
        """Return the changes to write to the table."""
        return self._encoded if self._lowest_encoding == self.encoding else self.view.changes(self.encoding)


def run_step(agent: Agent, batch: Batch, store: Store, encoding: int = ENCODING, onto: StepResult | None = None) -> StepResult:
    """Return the step's result over the batch; records on which it raises are in the result as dead letters.

    With `onto`, the batch follows what that result has already, and the same transaction commits both. MustStop and StoreFailed
    pass through: neither is the fault of a record.
    """
    result = onto or StepResult(store, agent, encoding)
    _run(agent, batch, batch.records, result)
    result.close()
    return result


class PendingPart:
    """A part of pending work: as many pieces as one transaction commits, each a call of the agent's `resume`.

    An error in a piece is not the fault of a record: it stops the process.
    """

    def __init__(self, agent: Agent, cursor: Cursor, store: Store, encoding: int = ENCODING) -> None:
        if agent.resume is None:
            raise MustStop(
                f"the {agent.name} agent of this release has no work larger than a transaction, yet some is pending: a newer "
                "release began it. Start this worker with that release."
            )
        self._name, self._resume = agent.name, agent.resume
        self._rest: Cursor | None = cursor
        self._result = StepResult(store, agent, encoding)

    def do_piece(self) -> bool:
        """Do the next piece and return whether more is left."""
        assert self._rest is not None
        try:
            self._rest = self._resume(self._rest, self._result.view, self._result)
        except (MustStop, StoreFailed):
            raise
        except Exception as error:
            raise self._failed(error) from error
        return self._rest is not None

    def finish(self) -> StepResult:
        """Return what the pieces led to, with the cursor of the rest. It is to be closed, or a batch to be run onto it."""
        result = self._result
        try:
            result.finish(None, self._rest)
        except InvalidRecord as error:
            raise self._failed(error) from error
        if self._rest is not None:
            result.pending_work.append(self._rest)
        return result

    def _failed(self, error: Exception) -> MustStop:
        return MustStop(f"the {self._name} agent failed at pending work: {safe_reason(error)}. Deploy a repaired release.")


def resume_step(agent: Agent, cursor: Cursor, store: Store, encoding: int = ENCODING) -> StepResult:
    """Return the result of one piece of pending work."""
    part = PendingPart(agent, cursor, store, encoding)
    part.do_piece()
    result = part.finish()
    result.close()
    return result


def _run(agent: Agent, batch: Batch, records: Sequence[Message], result: StepResult) -> None:
    savepoint, sent, notes = result.view.savepoint(), len(result.sent), result.notes.copy()
    try:
        cursor = agent.step(msgspec.structs.replace(batch, records=records), result.view, result)
        result.finish(savepoint, cursor)
    except (MustStop, StoreFailed):
        raise
    except Exception as error:  # noqa: BLE001  # whatever a step raises is the record's fault, up to the limit on dead letters
        result.rollback(savepoint, sent, notes)
        if len(records) == 1:
            _dead_letter(agent, batch, records[0], error, result)
            return
        middle = len(records) // 2
        _run(agent, batch, records[:middle], result)
        _run(agent, batch, records[middle:], result)
    else:
        result.dead.extend(False for _ in records)
        if cursor is not None:
            result.pending_work.append(cursor)


def _output(topic: str, key: bytes | None, value: bytes | None, headers: Headers, partition: int | None) -> OutputRecord:
    """Return a record to send. Raises InvalidRecord where no broker accepts it."""
    if (headers or len(key or b"") + len(value or b"") > ALWAYS_FITS) and not fits(key, value, headers):
        raise InvalidRecord(f"what follows from it for {topic} is larger than a record may be")
    return topic, key, value, headers, partition


def _dead_letter(agent: Agent, batch: Batch, record: Message, error: Exception, result: StepResult) -> None:
    reason = safe_reason(error)
    letter = dead_letter(batch.topic, batch.partition, record, reason, agent.name)
    if not fits(letter.key, letter.value, letter.headers, largest=LARGEST_DEAD_LETTER):
        letter = shortened(letter)
    result.sent.append((TOPIC, *letter, None))
    result.dead.append(True)
    result.last_error = f"offset {record.offset} of partition {batch.partition} of {batch.topic}: {reason}"


def safe_reason(error: Exception) -> str:
    """Return the reason without personal data: our own errors contain no payload, others are reduced to their type and place."""
    if isinstance(error, InvalidRecord):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
