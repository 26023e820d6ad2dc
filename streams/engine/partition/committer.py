"""The end of a step: its outputs, table changes and positions are one transaction, and only then the table follows."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Final, NamedTuple

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from connectors.kafka.settings import MAX_RECORD_BYTES
from connectors.observability.tracing import SampledRecord
from schemas.errors import BadConfiguration, StoreFailed
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import CommitStats, PartitionProcessor, ProcessorHost
from streams.engine.partition.record_size import OutputRecord
from streams.engine.partition.transaction import commit
from streams.engine.tables.commit_state import CommitState

_LATEST_END: Final = (
    1.5  # times the transaction's timeout, after which its coordinator aborts it; a restarting one needs a little longer
)


class Output(NamedTuple):
    """What one transaction commits, for how many records and dead letters; all that is left of a step while it is committed."""

    sent: list[OutputRecord]
    changes: Mapping[str, bytes | None]
    commit_state: CommitState
    records: int
    dead: int
    notes: Mapping[str, int]
    oldest: int | None = None
    traced: tuple[SampledRecord, ...] = ()


class Committer:
    """Commits for one processor."""

    def __init__(self, processor: PartitionProcessor, *, names: Naming, limits: Limits, host: ProcessorHost) -> None:
        self._processor = processor
        self._names = names
        self._limits = limits
        self._host = host

    async def commit_output(self, output: Output | None, started: float) -> None:
        """Commit what a step led to, if it did not fail, and count it; `started` is when it began."""
        processor = self._processor
        if output is not None and await self.commit(output.sent, output.changes, output.commit_state):
            processor.plan_wake()
            seconds = time.perf_counter() - started
            self._host.committed(
                CommitStats(
                    processor.agent.name,
                    processor.partition,
                    output.records,
                    output.dead,
                    seconds,
                    output.notes,
                    output.oldest,
                    output.traced,
                )
            )

    async def commit(self, sent: list[OutputRecord], changes: Mapping[str, bytes | None], commit_state: CommitState) -> bool:
        """Commit, and only then change the table and the positions. After any failure only a reload shows what is committed."""
        processor = self._processor
        assert processor.producer is not None
        if not self._names.generation(processor.agent.name).live:
            sent[:] = [record for record in sent if self._names.sends(processor.agent.name, record[0])]
        _, largest = max([(len(value or b""), topic) for topic, _, value, _, _ in sent], default=(0, ""))
        try:
            committed = await commit(
                processor.producer,
                sent=sent,
                changes=changes,
                changelog=self._names.topic(self._names.changelog(processor.agent.name)),
                partition=processor.partition,
                commit_state=commit_state,
                output_name=partial(self._names.output, processor.agent.name),
                source_name=partial(self._names.source, processor.agent.name),
                partition_count=self._host.partitions,
                group=self._names.offsets_group(processor.agent.name),
                seconds=self._limits.transaction_timeout_ms / 1000 * _LATEST_END,
            )
        except (MessageSizeTooLargeError, RecordListTooLargeError):
            processor.stop(_too_large(largest))
            return False
        except (KafkaError, OSError, TimeoutError) as error:  # fenced, broker away or outcome unknown: a reload cures each
            processor.fail(error)
            return False
        try:
            processor.store.apply(changes, committed.bookmark)
        except StoreFailed as error:  # the transaction is committed; a reload brings the table up to it
            processor.fail(error)
            return False
        processor.commit_state = commit_state
        processor.unsettled = False
        self._host.written(committed.written)
        return True


def _too_large(topic: str) -> BadConfiguration:
    """Return the error for a broker with a lower limit than the one each record was measured against: a retry would not help."""
    return BadConfiguration(
        f"the broker refused a record as too large, although it is within {MAX_RECORD_BYTES} bytes. The largest was for "
        f"{topic or 'the changelog'}. Set max.message.bytes of the topics as `intercom-streams topics check` says, and start the "
        "worker again; nothing is lost."
    )
