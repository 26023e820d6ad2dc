"""Readings of a year in a process of their own: `python -m bench.evidence.reading FACTS NAME ...`; it prints what each took as JSON."""

import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

import msgspec

from bench.evidence.log import OF_REPLAY, OF_VERIFY, TopicsReader, YearLog, interleaved
from bench.evidence.year import BEGINS, TENANT, YEAR, year
from bench.memory import own_peak_mib
from schemas.canonical import digest
from schemas.codec import Avro
from streams.core.access.reports.build import report
from streams.core.access.reports.scope import ReportScope
from streams.ops.ledger.merge import verify_log
from streams.ops.ledger.replay_check import ReplaySummary, replay_check
from streams.ops.ledger.verify import LedgerSummary, LedgerVerifier
from streams.ops.reports.forms import json_bytes
from streams.ops.reports.read_log import report_log

AGENT, REPORT, VERIFY, REPLAY_CHECK = "agent", "report", "verify", "replay_check"
OF_ONE_LOG: Final = (AGENT, VERIFY, REPLAY_CHECK)
_BATCH: Final = 500


class ReadingTrial(msgspec.Struct, frozen=True, kw_only=True):
    """CPU seconds of a reading without making the year, and peak memory (MiB) of its process at half of the year and at its end.

    Of a report: CPU seconds of making it, its size and digest, and peak memory with it. Of the agent: what its table holds at half of the year and at its end (MB).
    """

    name: str
    facts: int
    cpu_s: float
    made_s: float = 0.0
    size: int = 0
    sha256: str = ""
    half_table_mb: float = 0.0
    table_mb: float = 0.0
    half_mib: float
    peak_mib: float
    made_mib: float = 0.0


def read_for_report(facts: int) -> ReadingTrial:
    """Read the year for a report as of its end, and make it."""
    log, cpu, read, half = report_log(Avro.local(), TENANT, ReportScope(BEGINS + YEAR)), 0.0, 0, 0.0
    records = year(facts)
    while batch := tuple(islice(records, _BATCH)):
        start = time.process_time()
        for record in batch:
            log.take(0, record)
        cpu += time.process_time() - start
        read += len(batch)
        half = half or (own_peak_mib() if read * 2 >= facts else 0.0)
    finished, peak, start = log.finished(), own_peak_mib(), time.process_time()
    made = json_bytes(report(finished))
    return ReadingTrial(
        name=REPORT, facts=read, cpu_s=cpu, made_s=time.process_time() - start, size=len(made), sha256=digest(made),
        half_mib=half, peak_mib=peak, made_mib=own_peak_mib(),
    )  # fmt: skip


def read_one_log(facts: int, names: Sequence[str]) -> Iterator[ReadingTrial]:
    """Let the access agent process the year, as a worker does without Kafka, and read what it writes beside it."""
    tenths: list[tuple[float, float]] = []

    def at_tenth(log: YearLog) -> None:
        tenths.append((own_peak_mib(), _table_mb(log)))
        spent = {AGENT: log.made_s, **log.read_s}
        rates = ", ".join(f"{name} {log.facts / spent[name]:,.0f}" for name in names if spent[name])
        note = f"{log.facts:,} facts; facts/CPU s: {rates}; table {tenths[-1][1]:.1f} MB, peak {tenths[-1][0]:.0f} MiB"
        print(note, file=sys.stderr, flush=True)

    log = YearLog(facts, at_tenth)
    found = interleaved(log, {name: _READ[name](log.reader(_TOPICS[name])) for name in names if name != AGENT})
    while log.make():
        pass
    for summary in found.values():
        assert summary.entries == log.entries
        assert not getattr(summary, "differences", ())
    read = {AGENT: log.facts, **{name: summary.facts for name, summary in found.items()}}
    spent = {AGENT: log.made_s, **log.read_s}
    for name in names:
        yield ReadingTrial(
            name=name, facts=read[name], cpu_s=spent[name], half_mib=tenths[4][0], peak_mib=own_peak_mib(),
            half_table_mb=tenths[4][1] if name == AGENT else 0.0, table_mb=tenths[-1][1] if name == AGENT else 0.0,
        )  # fmt: skip


def _verify(log: TopicsReader) -> Coroutine[Any, Any, LedgerSummary]:
    """Verify the ledger of the year against its facts and findings, as `access verify` does."""
    return verify_log(log, LedgerVerifier(Avro.local()), lambda *_: None)


def _replay_check(log: TopicsReader) -> Coroutine[Any, Any, ReplaySummary]:
    """Make findings, answers and ledger of the year again and compare them, as `access replay-check` does."""
    return replay_check(log, Avro.local(), lambda *_: None)


_READ: Final[Mapping[str, Callable[[TopicsReader], Coroutine[Any, Any, Any]]]] = MappingProxyType(
    {VERIFY: _verify, REPLAY_CHECK: _replay_check}
)
_TOPICS: Final = MappingProxyType({VERIFY: OF_VERIFY, REPLAY_CHECK: OF_REPLAY})


def _table_mb(log: YearLog) -> float:
    return sum(len(key) + len(value) for key, value in log.table.store.items()) / 1e6


def read(facts: int, names: Sequence[str]) -> list[ReadingTrial]:
    """Return the trials of readings that are made in one process."""
    return [read_for_report(facts)] if REPORT in names else list(read_one_log(facts, names))


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(read(int(sys.argv[1]), sys.argv[2:])))
