"""Read a tenant's facts from Kafka into a report, without a consumer group and without a word to anybody who works there."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any, Final, Generic, TypeVar

from connectors.kafka.ranges import OffsetRange, RangeReader, open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.access import fact_records
from schemas.access.facts import TOPIC, Policy
from schemas.access.policy_trials import PolicyTrial
from schemas.access.reports import AccessReport
from schemas.canonical import digest
from schemas.cloudevents import timestamp
from schemas.codec import Avro
from schemas.errors import BadConfiguration, InvalidRecord, Unavailable
from schemas.partition import partition_of
from streams.agents.access import ROWS
from streams.core.access.reports.build import report
from streams.core.access.reports.reading import ReportReading
from streams.core.access.reports.scope import ReportScope
from streams.core.access.reports.what_if import TriedReading, changes_now, changes_since
from streams.core.access.state.rows import AnyRow
from streams.core.access.state.values import LogPosition
from streams.engine.in_memory import MemoryTable

R = TypeVar("R", bound=ReportReading)
Progressed = Callable[[int, int], None]
_BATCH: Final = 2000
_COMMIT_EVERY: Final = 100  # chunks, of which most facts have one and a listing of 50,000 has thousands


class LogReading(Generic[R]):
    """Takes the records of a partition of the log in their order, into a reading that `make` returns for an empty table and for what it has to call behind each chunk."""

    def __init__(self, avro: Avro, tenant: str, make: Callable[[MemoryTable[AnyRow], Callable[[], None]], R]) -> None:
        self._avro, self._key = avro, tenant.encode()
        self._table: MemoryTable[AnyRow] = MemoryTable(ROWS)
        self._uncommitted = 0
        self.reading = make(self._table, self._commit_some)

    def take(self, partition: int, record: Any) -> bool:
        """Take a record, of whichever tenant; return whether those behind it can count."""
        if record.key != self._key:
            return True
        position = LogPosition(partition, record.offset, record.timestamp, digest(record.value or b""))
        try:
            fact = fact_records.of_record(self._avro, record)
        except InvalidRecord:
            return self.reading.not_understood(position)
        return self.reading.take(fact, position)

    def _commit_some(self) -> None:
        """Make the table's changes permanent now and then: as bytes they take a tenth of the memory."""
        self._uncommitted += 1
        if self._uncommitted >= _COMMIT_EVERY:
            self._table.commit()
            self._uncommitted = 0

    def finished(self) -> R:
        """Return the reading, finished. Raises BadConfiguration where no fact counts."""
        record = self.reading.record
        if record.counts.last is None:
            begins = f"begins at {timestamp(record.counts.first)}" if record.counts.first is not None else "is empty"
            raise BadConfiguration(
                f"Nothing was known by then: the log of facts {begins}. Choose a later instant, or a greater --known-at."
            )
        self.reading.finish()
        return self.reading


def report_log(avro: Avro, tenant: str, scope: ReportScope) -> LogReading[ReportReading]:
    """Return a log to read for a report."""
    return LogReading(avro, tenant, lambda table, commit: ReportReading(table, tenant, scope, commit))


async def read_report(
    kafka: KafkaSettings, avro: Avro, tenant: str, scope: ReportScope, *, on_progress: Progressed = lambda *_: None
) -> AccessReport:
    """Return the report of a tenant. Raises as `read_logs` does."""
    log = report_log(avro, tenant, scope)
    await read_logs(kafka, tenant, scope, [log], on_progress=on_progress)
    return report(log.finished())


async def try_policy(
    kafka: KafkaSettings,
    avro: Avro,
    tenant: str,
    policy: Policy,
    *,
    now: int,
    since: int | None,
    on_progress: Progressed = lambda *_: None,
) -> PolicyTrial:
    """Return what a policy would change now, or would have changed since an instant (both ms). Raises as `read_logs` does."""
    starts = now if since is None else since
    scope = ReportScope(now, starts)
    tried = LogReading(
        avro, tenant, lambda table, commit: TriedReading(table, tenant, scope, policy=policy, since=starts, after_chunk=commit)
    )
    actual = report_log(avro, tenant, scope)
    await read_logs(kafka, tenant, scope, [tried] if since is None else [tried, actual], on_progress=on_progress)
    return changes_now(tried.finished()) if since is None else changes_since(tried.finished(), actual.finished(), since)


async def read_logs(
    kafka: KafkaSettings,
    tenant: str,
    scope: ReportScope,
    logs: Sequence[LogReading[Any]],
    *,
    on_progress: Progressed = lambda *_: None,
) -> None:
    """Read a tenant's facts into each of these. `on_progress` gets how many offsets were read, of how many.

    Raises BadConfiguration for an offset that the log does not have yet; Unavailable while a fact that may count is written in a
    transaction that is still open: the same report would then be another one later.
    """
    topic = kafka.topic(TOPIC)
    async with open_ranges(kafka, topic) as reader:
        bounds = await reader.bounds()
        partition = partition_of(tenant.encode(), len(bounds))
        within = bounds[partition]
        if scope.known_at is not None and scope.known_at >= within.end:
            raise BadConfiguration(
                f"The log of {tenant} does not reach offset {scope.known_at}: the last one of its partition {partition} is {within.end - 1}."
            )
        is_whole = await _read(reader, logs, partition, within, on_progress)
        written = await reader.written_end(partition)
    if not is_whole and scope.known_at is None and written > within.end:
        raise Unavailable("Facts that may count are being written at this moment. Make the report again in a few seconds.")


async def _read(
    reader: RangeReader, logs: Sequence[LogReading[Any]], partition: int, within: OffsetRange, on_progress: Progressed
) -> bool:
    """Read until no further record can count; return whether that was before the end of the log."""
    async with aclosing(reader.read({partition: within}, _BATCH)) as batches:
        async for batch in batches:
            for record in batch.records:
                if not all(log.take(partition, record) for log in logs):
                    return True
            on_progress(batch.positions.get(partition, within.end) - within.start, within.end - within.start)
    return False
