"""Which facts count for a report: by the instant, by the offset, and whole or not at all."""

import msgspec
import pytest

from schemas.cloudevents import timestamp
from streams.core.access.reports.scope import ReportScope
from tests.support.access_reports.sample import START, as_of, period, read, sample
from tests.support.company import DAY, T0, Company, admin, everyone, policy, settings, staff, teammates_facts

HOUR = DAY // 24


def answers(report) -> dict[str, str]:
    found = {f"{each.check} {line.account}": each.result for line in report.access for each in line.answers}
    return found | {f"{each.check} {line.workspace}": each.result for line in report.workspaces for each in line.answers}


def offboarded() -> Company:
    """Jo left on the 13th, which was reported on the 20th, and was removed on the 21st."""
    company = Company()
    company.add(settings(workspaces=("ws1",)))
    company.policy(everyone())
    company.staff("77", "jo@acme.example", name="Jo")
    company.added("7", "jo@acme.example", name="Jo")
    company.tick(START + 9 * DAY)
    company.staff("77", "jo@acme.example", name="Jo", at=START + DAY, ends=START + 2 * DAY)
    company.tick(START + 10 * DAY)
    company.removed("7", at=START + 10 * DAY)
    return company


def test_without_an_offset_a_report_says_what_the_system_answered_at_that_instant():
    """At each instant the report has exactly the rows that `access.state` had."""
    company, seen = Company(), []
    for record in sample().log:
        company.process([record])
        company.log.append(record)
        seen.append((record.timestamp, company.results()))
    for at, results in seen[::4]:
        assert answers(read(company.log, as_of(at))) == results, timestamp(at)


def test_what_became_known_later_counts_where_the_report_says_up_to_which_offset():
    company = offboarded()
    then = as_of(START + 5 * DAY)
    assert answers(read(company.log, then))["C2 7"] == "PASS"
    later = read(company.log, then._replace(known_at=len(company.log) - 1))
    assert answers(later)["C2 7"] == "FAIL"
    [line] = later.leavers
    assert (line.status, line.ended, line.late_seconds) == ("Active", timestamp(START + 2 * DAY), 3 * DAY // 1000)
    assert (later.basis.later_facts, later.basis.known_at.kind) == (1, "staff.record")


def test_what_happened_later_counts_for_no_earlier_instant():
    company = offboarded()
    at_the_end = read(company.log, as_of(START + 11 * DAY))
    [line] = at_the_end.leavers
    assert (line.status, line.revoked, line.known_by, line.late_seconds) == (
        "Revoked", timestamp(START + 10 * DAY), "event", 8 * DAY // 1000,
    )  # fmt: skip
    before = read(company.log, ReportScope(START + 10 * DAY - 1, None, len(company.log) - 1))
    assert [line.status for line in before.leavers] == ["Active"]


def test_a_decision_that_is_made_later_never_counts_whatever_date_it_gives():
    company = offboarded()
    company.add(msgspec.structs.replace(policy(replaces=company.policy_id), time=START))
    report = read(company.log, ReportScope(START + 5 * DAY, None, len(company.log) - 1))
    assert report.basis.policy is not None
    assert report.basis.policy.id == company.policy_id


def test_an_offset_that_is_earlier_than_the_instant_leaves_out_what_was_not_known_and_lets_time_pass():
    company = offboarded()
    report = read(company.log, ReportScope(START + 30 * DAY, None, 5))
    assert (report.basis.known_at.offset, report.leavers[0].status, report.leavers[0].late_seconds) == (
        5,
        "Active",
        28 * DAY // 1000,
    )
    assert answers(report)["C2 7"] == "FAIL"


@pytest.mark.parametrize("offset", range(3, 9))
def test_a_listing_counts_only_once_its_end_is_known(offset):
    company = Company()
    company.add(settings(workspaces=("ws1",)))
    company.policy(everyone())
    rows = [admin("admin.seen", str(number), f"p{number}@acme.example") for number in range(4)]
    for fact in teammates_facts(*rows, requested=START):
        company.add(fact)
    report = read(company.log, ReportScope(START + DAY, None, offset))
    assert len(report.access) == (4 if offset > 6 else 0)


@pytest.mark.parametrize("offset", [151, 152])
def test_a_decision_that_needs_many_parts_counts_wholly_or_not_at_all(offset):
    """A policy over 150 accounts is processed in five chunks with an entry of the ledger each."""
    company = Company()
    company.add(settings(workspaces=("ws1",)))
    for number in range(150):
        company.added(str(number), f"p{number}@acme.example")
    company.policy(everyone())
    assert len([entry for entry in company.ledger() if entry["kind"] == "policy.applied"]) > 1
    [last] = [entry for entry in company.ledger() if entry["offset"] == offset - 1][-1:]
    report = read(company.log, ReportScope(company.clock, None, offset - 1))
    assert {answer.result for line in report.workspaces for answer in line.answers if answer.check == "C3"} == {
        "FAIL" if offset == 151 else "PASS"
    }
    assert (report.basis.ledger_entries, report.basis.ledger_head) == (last["sequence"], last["hash"])


def test_an_offset_of_a_record_that_is_no_fact_or_of_another_tenant_names_the_last_fact_before_it():
    company = offboarded()
    last = company.log[-1]
    broken = last._replace(value=b"no fact", offset=last.offset + 1)
    foreign = last._replace(key=b"other", offset=last.offset + 2)
    report = read([*company.log, broken, foreign], ReportScope(START + 30 * DAY, None, foreign.offset))
    assert (report.basis.known_at.offset, report.basis.not_understood) == (len(company.log) - 1, 1)


def test_a_period_has_what_was_open_in_it_and_no_finding_that_was_over_before():
    company = offboarded()
    early, late = (
        read(company.log, period(START, START + 11 * DAY)),
        read(company.log, period(START + 10 * DAY + HOUR, START + 11 * DAY)),
    )
    assert [(line.check, line.closed_for) for line in early.findings if line.check == "C2"] == [("C2", "fixed")]
    assert [line.check for line in late.findings if line.check == "C2"] == []
    assert early.findings[-1].lasted_seconds == 8 * DAY // 1000
    assert [step.event for step in early.findings[-1].steps] == ["opened", "closed"]


def test_a_staff_record_alone_makes_nobody_a_teammate():
    company = Company()
    company.add(staff("1", "jo@acme.example", ends=T0))
    report = read(company.log, as_of(company.clock))
    assert [(line.status, line.account, line.late_seconds) for line in report.leavers] == [("Not found", None, None)]
