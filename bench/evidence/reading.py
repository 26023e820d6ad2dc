"""One reading of a year in a process of its own: `python -m bench.evidence.reading agent|report FACTS`; it prints what it took as JSON."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from bench.evidence.year import BEGINS, TENANT, YEAR, year
from schemas.canonical import digest
from schemas.codec import Avro
from schemas.message import RecordValue
from streams.agents.access import ROWS, access
from streams.core.access.reports.build import report
from streams.core.access.reports.scope import ReportScope
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from streams.ops.reports.forms import json_bytes
from streams.ops.reports.read_log import report_log

AGENT, REPORT = "agent", "report"
_BATCH: Final = 500


class ReadingTrial(msgspec.Struct, frozen=True, kw_only=True):
    """CPU seconds of a reading without making the year, of the report made of it, its size, and peak memory (MiB) at half of it and at its end."""

    facts: int
    cpu_s: float
    made_s: float = 0.0
    size: int = 0
    sha256: str = ""
    half_mib: float
    peak_mib: float


def read_by_agent(facts: int) -> ReadingTrial:
    """Let the access agent read the year in memory: what a worker does, without Kafka."""
    agent, table = access(Avro.local()), MemoryTable(ROWS)

    def take(records: tuple[RecordValue, ...]) -> None:
        cursor = agent.step(Batch("access.facts", 0, list(records)), table, ListOutbox())
        table.commit()
        while cursor is not None and agent.resume is not None:
            cursor = agent.resume(cursor, table, ListOutbox())
            table.commit()

    return _trial(facts, take)


def read_by_report(facts: int) -> ReadingTrial:
    """Read the year for a report as of its end, and make it."""
    log = report_log(Avro.local(), TENANT, ReportScope(BEGINS + YEAR))

    def take(records: tuple[RecordValue, ...]) -> None:
        for record in records:
            log.take(0, record)

    read = _trial(facts, take)
    start = time.process_time()
    made = json_bytes(report(log.finished()))
    return msgspec.structs.replace(
        read, made_s=time.process_time() - start, size=len(made), sha256=digest(made), peak_mib=_peak_mib()
    )


def _trial(facts: int, take: Callable[[tuple[RecordValue, ...]], None]) -> ReadingTrial:
    cpu, read, half = 0.0, 0, 0.0
    for records in _batches(year(facts)):
        start = time.process_time()
        take(records)
        cpu += time.process_time() - start
        read += len(records)
        if not half and read * 2 >= facts:
            half = _peak_mib()
    return ReadingTrial(facts=read, cpu_s=cpu, half_mib=half, peak_mib=_peak_mib())


def _batches(records: Iterator[Any]) -> Iterator[tuple[Any, ...]]:
    while records_of_a_batch := tuple(islice(records, _BATCH)):
        yield records_of_a_batch


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


READINGS: Final = {AGENT: read_by_agent, REPORT: read_by_report}

if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(READINGS[sys.argv[1]](int(sys.argv[2]))))
