"""A list of teammates that is known behind one that was requested later: what the later one showed stands."""

import pytest

from schemas.access.facts import Fact, Snapshot
from schemas.ids import derived
from streams.core.access.state.tenant import TenantState
from tests.streams.core.access.exempting import outcome
from tests.support.company import APP, DAY, T0, TENANT, Company, admin, by_rules, everyone, story, teammates_facts

HOUR = DAY // 24
EARLIER, LATER = T0 + 8 * DAY, T0 + 9 * DAY
ADDRESSES = {"7": "jo@acme.example", "8": "al@acme.example"}


def read_out_of_order(rules: str) -> tuple[Company, list[str]]:
    """Return a company of two teammates, of whom a list lacks one before an earlier list is known, and what that one led to."""
    company = by_rules(rules)
    company.policy(everyone())
    for account, address in ADDRESSES.items():
        company.added(account, address)
    company.teammates(listed("7"), requested=LATER)
    return company, story(company.teammates(listed("7"), listed("8"), requested=EARLIER))


def listed(account: str):
    return admin("admin.seen", account, ADDRESSES[account])


def missed(company: Company) -> tuple[str, int]:
    (row,) = (row for row in company.states().values() if row["check"] == "S2")
    return row["result"], row["since"]


def test_an_earlier_list_that_is_known_later_does_not_say_that_no_webhook_was_missed():
    company, events = read_out_of_order("5")
    assert (events, missed(company)) == ([], ("FAIL", LATER))
    assert "C1 8" not in company.results()
    events = story(company.teammates(listed("7"), requested=LATER + DAY))
    assert (events, missed(company)) == (["S2 ws1 closed fixed"], ("PASS", LATER + DAY))


def test_a_log_of_earlier_rules_keeps_its_answers():
    company, events = read_out_of_order("4")
    assert (events, missed(company)) == (["S2 ws1 closed fixed"], ("PASS", EARLIER))


@pytest.mark.parametrize(("rules", "result", "outcomes"), [("5", "FAIL", "applied"), ("4", "PASS", "stale")])
def test_a_refused_list_waits_though_an_earlier_one_that_is_known_later_is_applied(rules: str, result: str, outcomes: str):
    company, team = by_rules(rules), [str(number) for number in range(100, 120)]
    company.policy(everyone())
    for account in team:
        company.added(account)
    company.teammates(*(admin("admin.seen", each) for each in team[:5]), requested=LATER)
    company.teammates(*(admin("admin.seen", each) for each in team), requested=EARLIER)
    assert company.results()["S1 ws1"] == result
    assert company.coverage()["ws1"]["result"] == {"FAIL": "UNKNOWN"}.get(result, result)
    assert confirmed(company, LATER) == outcomes
    assert company.results()["S1 ws1"] == "PASS"
    assert len([name for name in company.results() if name.startswith("C1 ")]) == (5 if outcomes == "applied" else 20)


def refused_twice(rules: str, *, cut: bool = False) -> tuple[Company, list[str]]:
    """Return a company whose list was refused, or cut off, before an earlier one is refused, and what that one led to."""
    company, team = by_rules(rules), [str(number) for number in range(100, 120)]
    for account in team:
        company.added(account)
    if cut:
        cut_off(company, LATER)
    else:
        company.teammates(*(admin("admin.seen", each) for each in team[:5]), requested=LATER)
    return company, story(company.teammates(*(admin("admin.seen", each) for each in team[:4]), requested=EARLIER))


@pytest.mark.parametrize(
    ("rules", "events", "outcomes"), [("5", [], ["applied", "stale"]), ("4", ["S1 ws1 updated"], ["stale", "applied"])]
)
def test_a_refused_list_waits_though_an_earlier_one_is_refused_behind_it(rules: str, events: list[str], outcomes: list[str]):
    company, found = refused_twice(rules)
    assert (outcome(company), found) == ("refused", events)
    assert [confirmed(company, each) for each in (LATER, EARLIER)] == outcomes
    assert company.results()["S1 ws1"] == "PASS"
    assert len([name for name in company.results() if name.startswith("C1 ")]) == (5 if rules == "5" else 4)
    rows = TenantState(company.table, TENANT).backlog.teammate_snapshots
    assert [item for collection in (rows.stagings, rows.staged, rows.pages) for item, _ in collection.walk()] == []


@pytest.mark.parametrize(
    ("rules", "events", "reason"), [("5", [], "snapshot_incomplete"), ("4", ["S1 ws1 updated"], "snapshot_refused")]
)
def test_a_list_that_was_cut_off_is_the_latest_though_an_earlier_one_is_refused_behind_it(
    rules: str, events: list[str], reason: str
):
    company, found = refused_twice(rules, cut=True)
    assert (outcome(company), found) == ("refused", events)
    assert [row["reason"] for row in company.states().values() if row["check"] == "S1"] == [reason]
    assert company.coverage()["ws1"]["reason"] == reason


def confirmed(company: Company, requested: int) -> str:
    """Confirm a list, and return what became of that."""
    part = Snapshot(id=derived("teammates", APP, requested), source="intercom", requested=requested)
    company.add(
        Fact(
            id=f"yes{requested}", tenant=TENANT, kind="snapshot.confirmed", source="o", basis="decided", app_id=APP, snapshot=part
        )
    )
    return outcome(company)


@pytest.mark.parametrize(("rules", "result", "second"), [("5", "FAIL", "FAIL"), ("4", "PASS", "FAIL")])
def test_a_list_that_was_cut_off_is_the_latest_though_an_earlier_one_that_is_known_later_is_applied(
    rules: str, result: str, second: str
):
    company = by_rules(rules)
    company.added("7", ADDRESSES["7"])
    cut_off(company, LATER)
    assert company.results()["S1 ws1"] == "FAIL"
    company.teammates(listed("7"), requested=EARLIER)
    assert company.results()["S1 ws1"] == result
    since = [row["since"] for row in company.states().values() if row["check"] == "S1"]
    cut_off(company, EARLIER + 1)
    assert company.results()["S1 ws1"] == second
    assert ([row["since"] for row in company.states().values() if row["check"] == "S1"] == since) is (rules == "5")
    company.teammates(listed("7"), requested=LATER + DAY)
    assert company.results()["S1 ws1"] == "PASS"


def cut_off(company: Company, requested: int) -> None:
    """Begin a list of teammates, and let its hour pass."""
    started, *_ = teammates_facts(listed("7"), requested=requested)
    company.add(started)
    company.tick(company.clock + 2 * HOUR)
