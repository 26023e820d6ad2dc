"""Facts processed again: the access agent over an empty table, a partition at a time, without Kafka."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from schemas import dead_letters
from schemas.codec import Avro
from schemas.message import Headers, Message, header
from streams.agents.access import access
from streams.engine.agent import Agent, Batch, Cursor
from streams.engine.partition.record_size import OutputRecord
from streams.engine.partition.step_runner import StepResult, resume_step, run_step
from streams.engine.tables.store import MemoryStore
from streams.ops.ledger.access_log import FACTS, LEDGER

_BATCH: Final = 64  # facts: walks of a table pass over what was deleted since the last commit, timers above all


class MadeRecord(NamedTuple):
    """A record that follows from facts, with the number of the ledger's entry that has it, and the tenant."""

    tenant: str
    sequence: int
    topic: str
    key: bytes
    value: bytes | None
    headers: Headers


class PartitionReplay:
    """One partition of `access.facts` from its beginning. What follows from the facts depends on them alone, never on batches."""

    def __init__(self, avro: Avro, partition: int) -> None:
        self.facts = 0
        self.rejected = 0
        self.first_rejected = ""  # where it is, and why
        self._agent: Agent = access(avro)
        self._partition = partition
        self._store = MemoryStore()

    def process(self, records: Sequence[Message]) -> Iterator[MadeRecord]:
        """Yield what follows from the next facts, all work included that a worker does in several transactions."""
        for start in range(0, len(records), _BATCH):
            batch = records[start : start + _BATCH]
            result = run_step(self._agent, Batch(FACTS, self._partition, batch), self._store)
            self.facts += len(batch)
            if any(result.dead):
                self._reject(result)
            yield from self._committed(result)
            pending: list[Cursor] = result.pending_work
            while pending:
                result = resume_step(self._agent, pending[0], self._store)
                pending = [*result.pending_work, *pending[1:]]
                yield from self._committed(result)

    def _reject(self, result: StepResult) -> None:
        self.rejected += sum(result.dead)
        if not self.first_rejected:
            origins = (dead_letters.origin_of(headers) for topic, _, _, headers, _ in result.sent if topic == dead_letters.TOPIC)
            first = next(each for each in origins if each is not None)
            self.first_rejected = f"offset {first.offset} of partition {first.partition}: {first.reason}"

    def _committed(self, result: StepResult) -> Iterator[MadeRecord]:
        self._store.apply(result.changes())
        return made_of(result.sent)


def made_of(sent: Iterable[OutputRecord]) -> Iterator[MadeRecord]:
    """Yield records with the entry behind them that has them: an agent sends the entry of a chunk behind what followed from it."""
    group: list[OutputRecord] = []
    for record in sent:
        topic, key, _, headers, _ = record
        group.append(record)
        if topic == LEDGER:
            tenant, number = (key or b"").decode(), int(header(headers, "ce_sequence") or 0)
            for name, own_key, value, own_headers, _ in group:
                if name.startswith("access."):  # a dead letter may stand among them
                    yield MadeRecord(tenant, number, name, own_key or b"", value, own_headers)
            group.clear()
