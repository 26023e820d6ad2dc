"""Coverage: what the answers rest on, how far the log is evaluated, and when monitoring starts."""

import json

import msgspec
import pytest

from schemas.access.facts import Fact
from streams.agents.access import ProcessingLimits
from streams.core.access.processing.coverage import RENEWED_EVERY, TIMER
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.timers import Timers
from tests.support.company import APP, DAY, SECOND, T0, TENANT, Company, admin, settings, staff, teammates_facts

JO = "jo@acme.example"
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def configured(**freshness: object) -> Fact:
    fact = settings(workspaces=(APP,), further={"freshness": json.dumps(freshness)} if freshness else {})
    return with_sources(fact, "hr")


def with_sources(fact: Fact, *sources: str) -> Fact:
    assert fact.settings is not None
    return msgspec.structs.replace(fact, settings=msgspec.structs.replace(fact.settings, precedence=sources))


def monitoring_started(id_: str = "m") -> Fact:
    return Fact(id=id_, tenant=TENANT, kind="monitoring.started", source="operator", basis="decided")


def short(company: Company, name: str = APP) -> tuple[str, str, int | None]:
    row = company.coverage()[name]
    return row["result"], row["reason"], row["complete_since"]


def is_started(company: Company) -> bool:
    return TenantState(company.table, TENANT).monitoring.get() is not None


def test_a_workspace_that_was_never_read_is_not_covered_and_never_shown_as_passing():
    company = Company()
    company.added("7", JO)
    assert short(company) == ("UNKNOWN", "no_complete_snapshot", None)


def test_an_unbroken_series_of_snapshots_begins_with_the_request_of_its_first():
    company = Company()
    for day in (3, 4, 5):
        company.teammates(admin("admin.seen", "7", JO), requested=T0 + day * DAY)
    assert short(company) == ("PASS", "complete", T0 + 3 * DAY)


def test_a_refused_snapshot_breaks_the_series_and_the_next_begins_another():
    company = Company()
    many = [admin("admin.seen", str(number), f"a{number}@acme.example") for number in range(30)]
    company.teammates(*many, requested=T0 + DAY)
    company.teammates(requested=T0 + 2 * DAY)
    assert short(company) == ("UNKNOWN", "snapshot_refused", None)
    company.teammates(*many, requested=T0 + 3 * DAY)
    assert short(company) == ("PASS", "complete", T0 + 3 * DAY)


def test_a_snapshot_that_is_cut_off_breaks_the_series_as_of_the_end_of_its_hour():
    company = Company()
    company.teammates(requested=T0 + DAY)
    company.add(teammates_facts(requested=T0 + 2 * DAY)[0])
    begun = company.clock
    company.tick(begun + 3 * HOUR)
    assert short(company) == ("UNKNOWN", "snapshot_incomplete", None)
    assert company.coverage()[APP]["since"] == begun + HOUR


def test_a_staff_source_is_covered_by_complete_files_until_it_is_stale():
    company = Company()
    company.add(configured(hr={"kind": "interval", "interval": HOUR}))
    assert short(company, "hr") == ("UNKNOWN", "stale", None)  # it never reported
    read = company.clock
    company.snapshot(staff("77", JO), requested=read)
    assert short(company, "hr") == ("PASS", "complete", read)
    company.tick(read + 4 * HOUR)
    assert short(company, "hr") == ("UNKNOWN", "stale", None)
    assert company.coverage()["hr"]["since"] == read + 3 * HOUR
    company.snapshot(staff("77", JO), requested=read + 5 * HOUR)
    assert short(company, "hr") == ("UNKNOWN", "stale", None)  # of the future: not yet
    company.tick(read + 5 * HOUR + MINUTE)
    assert short(company, "hr") == ("PASS", "complete", read + 5 * HOUR)


def test_single_records_cover_no_source():
    company = Company()
    company.staff("77", JO)
    assert short(company, "hr") == ("UNKNOWN", "no_complete_snapshot", None)


def test_a_refused_file_breaks_the_series_of_its_source():
    company = Company()
    people = [staff(str(number), f"p{number}@acme.example") for number in range(30)]
    company.snapshot(*people, requested=T0 + DAY)
    company.snapshot(requested=T0 + 2 * DAY)
    assert short(company, "hr") == ("UNKNOWN", "snapshot_refused", None)


def test_every_row_is_renewed_each_quarter_of_an_hour_of_log_time():
    company = Company()
    company.added("7", JO)
    company.staff("77", JO)
    quarter = company.clock - company.clock % RENEWED_EVERY
    for number in (1, 2, 3):
        company.tick(quarter + number * RENEWED_EVERY + SECOND)
        assert {row["evaluated_through"] for row in company.coverage().values()} == {quarter + number * RENEWED_EVERY}
    assert company.agent.wake is not None
    wake = company.agent.wake(company.table)
    assert wake is not None
    assert wake.at == quarter + 4 * RENEWED_EVERY


def test_after_a_year_of_downtime_each_row_is_renewed_once_and_its_timer_fires_twice(monkeypatch: pytest.MonkeyPatch):
    company = Company()
    company.added("7", JO)
    company.staff("77", JO)
    before = len(company.sent)
    armed, arm = [], Timers.set
    monkeypatch.setattr(Timers, "set", lambda self, check, *rest: (armed.append(check), arm(self, check, *rest)))
    company.tick(company.clock + 365 * DAY)
    assert armed == [TIMER, TIMER]
    assert [sent.topic for sent in company.sent[before:]] == ["access.state", "access.state", "access.ledger"]
    assert {row["evaluated_through"] for row in company.coverage().values()} == {company.clock - company.clock % RENEWED_EVERY}


def test_a_renewal_comes_behind_whatever_else_was_due_while_nobody_looked():
    company = Company(ProcessingLimits(chunk=1, budget=1, per_record=0))
    at_once = company.clock + 3 * DAY
    ends = at_once - at_once % RENEWED_EVERY  # three of them are due at the instant of the renewal
    for number in range(5):
        company.added(str(number), f"p{number}@acme.example")
        company.staff(str(number), f"p{number}@acme.example", at=T0 + DAY, ends=ends - max(2 - number, 0) * MINUTE)
    before = len(company.sent)
    company.tick(ends + MINUTE)
    topics = [sent.topic for sent in company.sent[before:]]
    rows = [number for number, sent in enumerate(company.sent[before:]) if b"|coverage|" in (sent.key or b"")]
    assert topics.count("access.violations") == 5
    assert rows
    assert min(rows) > max(number for number, topic in enumerate(topics) if topic == "access.violations")
    assert company.coverage()[APP]["evaluated_through"] == ends


def test_ticks_change_no_row():
    ticked, quiet = Company(), Company()
    for company, hours in ((ticked, range(1, 48)), (quiet, ())):
        company.added("7", JO)
        company.staff("77", JO)
        begun = company.clock
        for hour in hours:
            company.clock = begun  # as if it were a log of its own
            company.tick(begun + hour * HOUR)
        company.clock = begun
        company.add(staff("78", "al@acme.example"), at=begun + 3 * DAY)
    assert ticked.rows() == quiet.rows()


def test_a_workspace_that_is_no_longer_monitored_has_no_row():
    company = Company()
    company.added("7", JO)
    company.add(Fact(id="u", tenant=TENANT, kind="workspace.unmonitored", source="operator", basis="decided", app_id=APP))
    assert APP not in company.coverage()


def test_monitoring_starts_by_itself_once_every_workspace_and_every_configured_source_was_read_completely():
    company = Company()
    company.add(configured())
    company.teammates(admin("admin.seen", "7", JO), requested=T0 + DAY)
    assert not is_started(company)
    company.snapshot(staff("77", JO), requested=T0 + DAY)
    assert is_started(company)
    started = TenantState(company.table, TENANT).monitoring.get()
    assert started is not None
    assert (started.started, started.source) == (company.clock, None)


@pytest.mark.parametrize("with_staff", [False, True])
def test_a_second_workspace_without_a_snapshot_delays_the_start(with_staff: bool):
    company = Company()
    company.added("9", "x@acme.example", app="ws2")
    company.teammates(requested=T0 + DAY)
    if with_staff:
        company.snapshot(staff("77", JO), requested=T0 + DAY)
    assert not is_started(company)
    company.teammates(requested=T0 + DAY, app="ws2")
    assert is_started(company)


def test_an_operator_may_start_monitoring_and_a_second_start_changes_nothing():
    company = Company()
    company.added("7", JO)
    company.add(monitoring_started())
    assert is_started(company)
    company.add(monitoring_started("again"))
    assert company.ledger()[-1]["outcome"] == "superseded"


def test_findings_are_of_the_baseline_until_monitoring_starts_and_keep_their_mark():
    company = Company()
    (first,) = [each for each in company.added("7", JO) if each["unmapped"]["check"] == "C1"]
    company.add(monitoring_started())
    (second,) = company.added("8", "al@acme.example")
    assert (first["unmapped"]["baseline"], second["unmapped"]["baseline"]) == (True, False)
    (updated,) = company.seen("7", "jo.lind@acme.example", at=T0 + DAY)
    assert updated["unmapped"]["baseline"] is True


def test_what_the_snapshot_shows_by_which_monitoring_starts_was_there_before():
    company = Company()
    found = company.teammates(admin("admin.seen", "7", JO), requested=T0 + DAY)
    assert is_started(company)
    assert {each["unmapped"]["baseline"] for each in found} == {True}
