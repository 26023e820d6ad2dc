"""Lists of teammates that were refused, or that an event contradicts which comes late."""

from schemas.access.facts import Fact, Snapshot
from schemas.ids import derived
from tests.streams.core.access.coincidences.histories import AL, HOUR, MINUTE, company_of, findings
from tests.support.company import APP, DAY, T0, TENANT, admin, story

LOG = T0 + 10 * DAY


def test_a_refused_list_that_is_confirmed_counts_as_of_its_request_whatever_came_since():
    company, team = company_of(), [str(number) for number in range(100, 120)]
    for account in team:
        company.staff(account, f"{account}@acme.example")
        company.added(account, f"{account}@acme.example")
    company.teammates(*(admin("admin.seen", each) for each in team[:5]), requested=LOG + HOUR)
    company.add(admin("admin.logged_in", team[10], at=LOG + 2 * HOUR))
    company.added(team[11], f"{team[11]}@acme.example", at=LOG + 2 * HOUR)
    assert {f"C1 {account}" for account in team} < company.results().keys()
    refused = Snapshot(id=derived("teammates", APP, LOG + HOUR), source="intercom", requested=LOG + HOUR)
    company.add(
        Fact(
            id="confirmed", tenant=TENANT, kind="snapshot.confirmed", source="operator", basis="decided", app_id=APP, snapshot=refused
        ),
        at=LOG + 5 * HOUR,
    )  # fmt: skip
    present = {name[3:] for name in company.results() if name.startswith("C1 ")}
    assert present == {*team[:5], team[11]}


def test_an_event_that_comes_late_restores_who_was_missing_only_within_two_minutes_of_the_request():
    for before, present in ((MINUTE, True), (3 * MINUTE, False)):
        company = company_of()
        company.added("7", "x@y.example", at=T0 + DAY)
        found = company.teammates(admin("admin.seen", "8", AL), requested=LOG)
        assert "C1 7 closed fixed" in story(found)
        company.added("7", "x@y.example", at=LOG - before)
        assert ("C1 7" in company.results()) is present
        assert len(set(findings(company, "C1"))) == 2  # of both accounts, the one reopened or closed
