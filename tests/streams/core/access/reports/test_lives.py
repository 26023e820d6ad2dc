"""What a report remembers of findings while it reads."""

from schemas.access import fact_records
from schemas.canonical import digest
from streams.agents.access import ROWS
from streams.core.access.reports.reading import ReportReading
from streams.core.access.reports.scope import ReportScope
from streams.core.access.state.values import LogPosition
from streams.engine.in_memory import MemoryTable
from tests.support.company import AVRO, DAY, TENANT, Company


def reading_of(company: Company, scope: ReportScope) -> ReportReading:
    reading = ReportReading(MemoryTable(ROWS), TENANT, scope)
    for record in company.log:
        reading.take(
            fact_records.decode(AVRO, record.value), LogPosition(0, record.offset, record.timestamp, digest(record.value))
        )
    reading.finish()
    return reading


def flapping(days: int) -> Company:
    """Return a company that has an unknown teammate each day, until the next."""
    company = Company()
    for day in range(days):
        company.tick(company.clock + DAY)
        company.added(str(day), f"unknown{day}@acme.example")
        company.tick(company.clock + DAY // 2)
        company.removed(str(day))
    return company


def test_a_report_of_an_instant_forgets_what_is_over_and_one_of_a_period_does_not():
    company = flapping(12)
    of_instant = reading_of(company, ReportScope(company.clock)).record.lives
    of_period = reading_of(company, ReportScope(company.clock, company.log[0].timestamp)).record.lives
    assert sum(life.latest.unmapped.check == "C1" for life in of_period.all()) == 12
    assert sum(life.latest.unmapped.check == "C1" for life in of_instant.all()) <= 1
