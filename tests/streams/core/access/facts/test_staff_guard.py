"""The guard on complete files of staff: a mass disappearance is one finding and withdraws nobody, until it is confirmed."""

import msgspec
import pytest

from schemas.access.facts import Fact, Snapshot
from schemas.ids import derived
from schemas.tenancy import GuardSettings
from streams.agents.access import ProcessingLimits
from streams.core.access.facts.snapshots import TIMEOUT
from streams.core.access.state.tenant import TenantState
from tests.streams.core.access.checks.further.activities import did
from tests.support.company import APP, DAY, T0, TENANT, Company, everyone, settings, snapshot_facts, staff, story

GUARD_HEADS = GuardSettings().heads
READ = T0 + 10 * DAY


def row(number: int, **how: int) -> Fact:
    return staff(f"{number}|x", f"p{number}@acme.example", at=T0 + DAY, **how)


def company_of(count: int, limits: ProcessingLimits | None = None, *, left: int = 0, rules: str | None = None) -> Company:
    company = Company(limits)
    if rules is not None:
        company.add(settings(further={"rules": f'"{rules}"'}, workspaces=(APP,)))
    company.policy(everyone())
    company.snapshot(
        *(row(number, **({"ends": T0 + 2 * DAY} if number < left else {})) for number in range(count)), requested=T0 + DAY
    )
    for number in range(left, count):
        company.added(f"{number}", f"p{number}@acme.example")
    return company


def confirmation(requested: int = READ, replaces: str | None = None) -> Fact:
    part = Snapshot(id=derived("listing", requested), source="hr", requested=requested)
    return Fact(
        id=derived("confirmed", requested, replaces), tenant=TENANT, kind="snapshot.confirmed", source="operator", basis="decided",
        replaces=replaces, snapshot=part,
    )  # fmt: skip


def identified(company: Company) -> int:
    return [result for key, result in company.results().items() if key.startswith("C1")].count("PASS")


def test_case_22_a_bad_export_is_refused_as_one_finding_and_withdraws_nobody():
    company = company_of(40)
    found = company.snapshot(*map(row, range(8)), requested=READ)  # 80 % are missing
    assert story(found) == ["S3 ws1 opened"]
    assert "staff source hr lacks 32 of 40 people" in found[0]["message"]
    assert (company.ledger()[-1]["outcome"], company.results()["S3 ws1"], identified(company)) == ("refused", "FAIL", 40)


@pytest.mark.parametrize(("heads", "absent"), [(GUARD_HEADS - 1, GUARD_HEADS - 1), (50, GUARD_HEADS)])
def test_few_people_and_small_shares_may_be_missing(heads: int, absent: int):
    company = company_of(heads)
    company.snapshot(*map(row, range(heads - absent)), requested=READ)
    assert (company.ledger()[-1]["outcome"], identified(company)) == ("applied", heads - absent)
    assert "S3 ws1" not in company.results()


@pytest.mark.parametrize(
    ("guard", "outcome"),
    [
        ('{"heads":5,"percent":0}', "refused"), ('{"heads":6}', "applied"), ('{"heads":5,"percent":100}', "applied"),
        ('{"heads":0,"percent":0}', "applied"), ('{"heads":"x"}', "applied"),
    ],
)  # fmt: skip
def test_the_settings_say_how_many_may_be_missing_and_what_makes_no_sense_counts_for_nothing(guard: str, outcome: str):
    company = company_of(40)
    company.add(settings(further={"guard": guard}))
    company.snapshot(*map(row, range(35)), requested=READ)
    assert company.ledger()[-1]["outcome"] == outcome


def test_those_who_had_left_may_be_missing():
    company = company_of(40, left=30)
    company.snapshot(*map(row, range(30, 40)), requested=READ)
    assert company.ledger()[-1]["outcome"] == "applied"


def test_the_next_plausible_file_closes_the_finding():
    company = company_of(40)
    company.snapshot(*map(row, range(8)), requested=READ)
    found = company.snapshot(*map(row, range(39)), requested=READ + DAY)
    assert story(found) == ["S3 ws1 closed fixed", "C1 39 opened"]
    assert company.results()["S3 ws1"] == "PASS"


def test_a_file_that_was_refused_is_applied_once_it_is_confirmed():
    company = company_of(40)
    company.snapshot(*map(row, range(8)), requested=READ)
    found = company.add(confirmation())
    assert (story(found)[0], len(found), identified(company)) == ("S3 ws1 closed fixed", 33, 8)
    assert company.ledger()[-1]["outcome"] == "applied"
    company.add(msgspec.structs.replace(confirmation(), id="again"))
    assert company.ledger()[-1]["outcome"] == "superseded"
    assert not list(TenantState(company.table, TENANT).backlog.staff_snapshots.staged.walk())


def test_a_file_that_is_confirmed_with_its_start_is_never_refused():
    company = company_of(40)
    start, *rest = snapshot_facts(*map(row, range(8)), requested=READ)
    for fact in (start, confirmation(), *rest):
        company.add(fact)
    assert (company.ledger()[-1]["outcome"], identified(company)) == ("applied", 8)
    assert "S3 ws1 opened" not in story(company.findings())


@pytest.mark.parametrize("stale", [confirmation(READ + 1), confirmation(replaces="another")])
def test_a_confirmation_of_another_file_or_that_replaces_one_is_stale(stale: Fact):
    company = company_of(40)
    company.snapshot(*map(row, range(8)), requested=READ)
    company.add(stale)
    assert (company.ledger()[-1]["outcome"], identified(company)) == ("stale", 40)


def test_a_refused_file_is_no_report_of_its_source():
    company = company_of(40)
    company.add(settings(further={"freshness": '{"hr": {"kind": "interval", "interval": 3600000}}'}, workspaces=(APP,)))
    company.tick(READ + DAY)
    company.snapshot(*map(row, range(8)), requested=company.clock)
    assert company.results()["C2 0"] == "UNKNOWN"
    company.snapshot(*map(row, range(40)), requested=company.clock)
    assert company.results()["C2 0"] == "PASS"


@pytest.mark.parametrize(("rules", "events", "result"), [("5", [], "FAIL"), ("4", ["S3 ws1 closed fixed"], "PASS")])
def test_a_file_of_an_earlier_time_answers_no_doubt_about_a_refused_one(rules: str, events: list[str], result: str):
    company = company_of(40, rules=rules)
    company.snapshot(*map(row, range(8)), requested=READ)
    assert story(company.snapshot(*map(row, range(40)), requested=READ - DAY)) == events
    assert (company.results()["S3 ws1"], company.coverage()["hr"]["reason"]) == (
        result,
        "snapshot_refused" if events == [] else "complete",
    )
    company.add(confirmation())
    assert (company.results()["S3 ws1"], identified(company)) == ("PASS", 8)


@pytest.mark.parametrize(("rules", "absent"), [("5", "32"), ("4", "33")])
def test_a_refused_file_stands_though_one_of_an_earlier_time_is_refused_behind_it(rules: str, absent: str):
    company = company_of(40, rules=rules)
    company.snapshot(*map(row, range(8)), requested=READ)
    company.snapshot(*map(row, range(7)), requested=READ - DAY)
    assert company.ledger()[-1]["outcome"] == "refused"
    parameters = [each for each in company.findings() if each["unmapped"]["check"] == "S3"][-1]["compliance"][
        "control_parameters"
    ]
    assert {"name": "absent", "value": absent} in parameters
    assert story(company.snapshot(*map(row, range(40)), requested=READ + DAY)) == ["S3 ws1 closed fixed"]


@pytest.mark.parametrize(
    ("rules", "waited", "expected"), [("5", TIMEOUT, "stale"), ("5", TIMEOUT - 60_000, "applied"), ("4", TIMEOUT, "applied")]
)
def test_a_refused_file_can_be_confirmed_for_its_hour_whether_or_not_another_has_come(rules: str, waited: int, expected: str):
    company = company_of(40, rules=rules)
    company.snapshot(*map(row, range(8)), requested=READ)
    company.clock += waited
    company.add(confirmation())
    assert (company.ledger()[-1]["outcome"], identified(company)) == (expected, 8 if expected == "applied" else 40)


def test_a_refused_file_is_forgotten_after_its_hour():
    company = company_of(40)
    company.snapshot(*map(row, range(8)), requested=READ)
    company.clock += TIMEOUT
    company.snapshot(*map(row, range(40)), requested=READ + DAY)
    rows = TenantState(company.table, TENANT).backlog.staff_snapshots
    assert [item for collection in (rows.stagings, rows.staged, rows.pages) for item, _ in collection.walk()] == []
    assert story(company.findings())[-1] == "S3 ws1 closed fixed"


def test_the_guard_decides_the_same_in_bounded_parts():
    stories = []
    for limits in (ProcessingLimits(chunk=3, budget=3, per_record=0), None):
        company = company_of(40, limits)
        company.snapshot(*map(row, range(8)), requested=READ)
        company.add(confirmation())
        stories.append((sorted(story(company.findings())), company.results()))
    assert stories[0] == stories[1]


@pytest.mark.parametrize("limits", [None, ProcessingLimits(chunk=7)], ids=["at once", "in parts"])
def test_an_accepted_file_after_a_refused_one_is_answered_once_all_of_it_is_applied(limits: ProcessingLimits | None):
    company = Company(limits)
    company.policy(everyone())
    company.add(settings(further={"absence": '{"hr": "ended"}', "checks": '{"C7": {}}'}, workspaces=(APP,)))
    company.snapshot(*map(row, range(20)), requested=T0 + DAY)
    company.add(did("admin_invite_creation", "0", at=T0 + DAY, email="p1@acme.example"))
    company.snapshot(row(0), requested=T0 + 2 * DAY)
    found = company.snapshot(*map(row, range(20)), requested=T0 + 3 * DAY)
    assert story(found) == ["S3 ws1 closed fixed"]  # and nobody invited looked gone meanwhile
