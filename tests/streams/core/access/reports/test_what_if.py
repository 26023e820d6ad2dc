"""A policy tried out: what it would change is what it does change, and what it would have changed on the log."""

from typing import Any

import pytest

from schemas.access import fact_records
from schemas.access.facts import Fact, Policy, Rule
from schemas.access.policy_trials import PolicyTrial
from schemas.canonical import digest
from streams.agents.access import ROWS
from streams.core.access.reports.reading import ReportReading
from streams.core.access.reports.scope import ReportScope
from streams.core.access.reports.what_if import TriedReading, changes_now, changes_since
from streams.core.access.state.values import LogPosition
from streams.engine.in_memory import MemoryTable
from tests.support.access_histories.history import history
from tests.support.access_laws.product import records_of
from tests.support.access_reports.sample import START, TWENTY_FOUR_HOURS, sample
from tests.support.company import AVRO, DAY, TENANT, Company, everyone, roles

DECIDED = Policy(rules=(roles("Finance"), roles("A", app="ws2")), hash="tried")
END = START + 9 * DAY


def tried_on(records: Any, new: Policy, *, now: int, since: int | None = None) -> PolicyTrial:
    starts = now if since is None else since
    scope = ReportScope(now, starts)
    tried = TriedReading(MemoryTable(ROWS), TENANT, scope, policy=new, since=starts)
    actual = ReportReading(MemoryTable(ROWS), TENANT, scope)
    for offset, record in enumerate(records):
        fact = fact_records.decode(AVRO, record.value)
        position = LogPosition(0, offset, record.timestamp, digest(record.value))
        tried.take(fact, position)
        actual.take(fact, position)
    tried.finish()
    actual.finish()
    return changes_now(tried) if since is None else changes_since(tried, actual, since)


def named(lines: Any) -> list[tuple[str, str]]:
    return [(line.check, line.account or line.workspace) for line in lines]


def open_findings(company: Company) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for event in company.findings():
        subject = (event["unmapped"]["check"], event["unmapped"].get("account") or event["unmapped"]["app_id"])
        found[event["finding_info"]["uid"]] = subject
        if event["activity_id"] == 3:
            del found[event["finding_info"]["uid"]]
    return found


def test_a_policy_that_lets_other_roles_in_opens_and_closes_findings_by_name():
    company = sample()
    trial = tried_on(company.log, Policy(rules=(roles("Finance", grace=TWENTY_FOUR_HOURS),), hash="new"), now=END)
    assert ("C4", "5") in named(trial.closes)
    assert ("C4", "10") in named(trial.opens)
    opened = next(line for line in trial.opens if line.account == "10")
    assert (opened.address, opened.result, opened.due) == ("p10@acme.example", "DUE", "2026-01-23T00:00:00.000Z")
    assert trial.stays == 5
    assert {line.closed_for for line in trial.closes} == {"fixed"}


def test_no_rule_for_a_workspace_opens_c3():
    trial = tried_on(sample().log, Policy(rules=(), hash="none"), now=END)
    assert ("C3", "ws1") in named(trial.opens)


def test_the_policy_in_force_changes_nothing():
    company = sample()
    [made] = [fact for record in company.log if (fact := fact_records.decode(AVRO, record.value)).kind == "policy.applied"]
    assert made.policy is not None
    trial = tried_on(company.log, made.policy, now=END)
    assert (trial.opens, trial.closes, trial.instead_of) == ((), (), made.id)


@pytest.mark.parametrize("seed", range(12))
def test_what_a_policy_would_change_is_what_it_changes_when_it_is_applied(seed):
    records = list(records_of(history(seed, 24)))
    company = Company()
    for record in records:
        company.process([record])
    now = max(record.timestamp for record in records) + DAY
    company.clock = now - 1000
    trial = tried_on(records, DECIDED, now=now)
    company.log = records
    company.tick(now)
    before = open_findings(company)
    fact = Fact(
        id="applied", tenant=TENANT, kind="policy.applied", source="o", basis="decided", replaces=trial.instead_of, policy=DECIDED,
    )  # fmt: skip
    company.add(fact, at=now)
    after = open_findings(company)
    assert sorted(named(trial.opens)) == sorted(subject for uid, subject in after.items() if uid not in before)
    assert sorted(named(trial.closes)) == sorted(subject for uid, subject in before.items() if uid not in after)


def test_on_the_log_a_policy_would_have_opened_what_it_forbids_and_closed_what_it_allows():
    company = Company()
    company.policy(roles("Support"))
    company.staff("1", "jo@acme.example", roles=("Sales",))
    company.staff("2", "al@acme.example", roles=("Support",))
    company.added("1", "jo@acme.example")
    company.added("2", "al@acme.example")
    company.tick(START + 3 * DAY)
    company.policy(everyone())  # of which the policy that is tried takes the place too
    trial = tried_on(company.log, Policy(rules=(roles("Sales"),), hash="new"), now=START + 5 * DAY, since=START + DAY)
    assert (named(trial.opens), named(trial.closes), trial.stays) == ([("C4", "2")], [("C4", "1")], 0)
    assert (trial.closes[0].closed or "")[:10] == "2026-01-14"
    assert trial.opens[0].closed is None


def test_what_is_tried_is_published_nowhere_and_leaves_the_log_as_it_is():
    company = sample()
    before = [record.value for record in company.log], len(company.sent)
    tried_on(company.log, Policy(rules=(Rule(app_id="ws1", validity="ticket"),), hash="t"), now=END)
    assert ([record.value for record in company.log], len(company.sent)) == before
