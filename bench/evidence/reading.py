"""One reading of a year in a process of its own: `python -m bench.evidence.reading NAME FACTS`; it prints what it took as JSON."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from bench.evidence.log import OF_REPLAY, OF_VERIFY, YearLog, timed
from bench.evidence.year import BEGINS, TENANT, YEAR, year
from schemas.canonical import digest
from schemas.codec import Avro
from schemas.message import RecordValue
from streams.agents.access import ROWS, access
from streams.core.access.reports.build import report
from streams.core.access.reports.scope import ReportScope
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from streams.ops.ledger.merge import verify_log
from streams.ops.ledger.replay_check import replay_check
from streams.ops.ledger.verify import LedgerVerifier
from streams.ops.reports.forms import json_bytes
from streams.ops.reports.read_log import report_log

AGENT, REPORT, VERIFY, REPLAY_CHECK = "agent", "report", "verify", "replay_check"
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
        read, made_s=time.process_time() - start, size=len(made), sha256=digest(made), peak_mib=peak_mib()
    )


def verify_ledger(facts: int) -> ReadingTrial:
    """Verify the ledger of the year against its facts and findings, as `access verify` does."""
    half: list[float] = []
    log = YearLog(facts, OF_VERIFY, lambda: half.append(peak_mib()))
    found, cpu = timed(log, verify_log(log, LedgerVerifier(Avro.local()), lambda *_: None))
    assert found.entries == log.entries
    return ReadingTrial(facts=found.facts, cpu_s=cpu, half_mib=half[0], peak_mib=peak_mib())


def check_replay(facts: int) -> ReadingTrial:
    """Make findings, answers and ledger of the year again and compare them, as `access replay-check` does."""
    half: list[float] = []
    log = YearLog(facts, OF_REPLAY, lambda: half.append(peak_mib()))
    found, cpu = timed(log, replay_check(log, Avro.local(), lambda *_: None))
    assert not found.differences
    assert found.compared["access.ledger"] == log.entries
    return ReadingTrial(facts=found.facts, cpu_s=cpu, half_mib=half[0], peak_mib=peak_mib())


def _trial(facts: int, take: Callable[[tuple[RecordValue, ...]], None]) -> ReadingTrial:
    cpu, read, half = 0.0, 0, 0.0
    for records in _batches(year(facts)):
        start = time.process_time()
        take(records)
        cpu += time.process_time() - start
        read += len(records)
        if not half and read * 2 >= facts:
            half = peak_mib()
    return ReadingTrial(facts=read, cpu_s=cpu, half_mib=half, peak_mib=peak_mib())


def _batches(records: Iterator[Any]) -> Iterator[tuple[Any, ...]]:
    while records_of_a_batch := tuple(islice(records, _BATCH)):
        yield records_of_a_batch


def peak_mib() -> float:
    """Return the most memory (MiB) that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


READINGS: Final = {AGENT: read_by_agent, REPORT: read_by_report, VERIFY: verify_ledger, REPLAY_CHECK: check_replay}

if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(READINGS[sys.argv[1]](int(sys.argv[2]))))
