"""A report on a large company in each form, in a process of its own: `python -m bench.evidence.staff STAFF`; it prints what it took as JSON."""

import sys
import time
from collections.abc import Iterator

import msgspec

from bench.evidence.year import BEGINS, TENANT, policy_fact, staff_fact, teammate_fact
from bench.memory import own_peak_mib
from schemas.access import fact_records
from schemas.access.facts import Fact
from schemas.codec import Avro
from schemas.message import RecordValue
from streams.core.access.reports.build import report
from streams.core.access.reports.scope import ReportScope
from streams.ops.reports.forms import FORMS
from streams.ops.reports.read_log import report_log

_DAY = 86_400_000  # ms
_LEAVERS = 50  # one of so many has left, and one of two of these still has access


class StaffTrial(msgspec.Struct, frozen=True, kw_only=True):
    """CPU seconds to read the facts and to make the report; of each form CPU seconds and size (MB); peak memory (MiB)."""

    facts: int
    accounts: int
    leavers: int
    read_s: float
    made_s: float
    form_s: dict[str, float]
    form_mb: dict[str, float]
    peak_mib: float


def report_on(staff: int) -> StaffTrial:
    """Read the facts about so many members of staff who all have an account, and make the report of a day later."""
    log, facts, read_s = report_log(Avro.local(), TENANT, ReportScope(BEGINS + 9 * _DAY)), 0, 0.0
    for record in _records(staff):
        start = time.process_time()
        log.take(0, record)
        read_s += time.process_time() - start
        facts += 1
    start = time.process_time()
    made = report(log.finished())
    made_s, form_s, form_mb = time.process_time() - start, {}, {}
    for form, make in FORMS.items():
        start = time.process_time()
        form_mb[form] = len(make(made)) / 1e6
        form_s[form] = time.process_time() - start
    return StaffTrial(
        facts=facts, accounts=made.summary.accounts, leavers=made.summary.leavers, read_s=read_s, made_s=made_s, form_s=form_s,
        form_mb=form_mb, peak_mib=own_peak_mib(),
    )  # fmt: skip


def _records(staff: int) -> Iterator[RecordValue]:
    avro = Avro.local()
    for offset, fact in enumerate(_facts(staff)):
        yield RecordValue(TENANT.encode(), fact_records.encode(avro, fact), (), offset, BEGINS + offset)


def _facts(staff: int) -> Iterator[Fact]:
    yield policy_fact()
    for number in range(staff):
        yield staff_fact(number, number, BEGINS)
        yield teammate_fact("admin.added", number, number, BEGINS)
    for number in range(0, staff, _LEAVERS):
        yield staff_fact(staff + number, number, BEGINS + 1, ends=BEGINS + _DAY)
        if number % (2 * _LEAVERS):
            yield teammate_fact("admin.removed", staff + number, number, BEGINS + 2 * _DAY)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(report_on(int(sys.argv[1]))))
