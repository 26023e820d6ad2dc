"""Snapshots of a workspace's teammates: who is listed is there, who is not was removed, and a faulty one changes nothing."""

from itertools import permutations

import msgspec
import pytest

from schemas.access.facts import Fact
from streams.core.access.checks.presence import SECOND, YOUNGER_BY, presence_of
from streams.core.access.facts.snapshots import TIMEOUT
from streams.core.access.processing.teammate_stages import REMEMBERED
from streams.core.access.state.tenant import TenantState
from tests.support.company import APP, DAY, T0, TENANT, Company, admin, everyone, story, teammates_facts

JO, AL = "jo@acme.example", "al@acme.example"
READ = T0 + 10 * DAY


def seen(account: str, address: str | None = None, **how) -> Fact:
    return admin("admin.seen", account, address, **how)


def team(count: int) -> list[str]:
    return [str(number) for number in range(100, 100 + count)]


def company_of(count: int) -> Company:
    company = Company()
    company.policy(everyone())
    for account in team(count):
        company.added(account, f"{account}@acme.example")
    return company


def present(company: Company) -> set[str]:
    return {row["account"] for row in company.states().values() if row["check"] == "C1"}


def under_way(company: Company) -> list[str]:
    """Return the rows of snapshots under way."""
    rows = TenantState(company.table, TENANT).backlog.teammate_snapshots
    return [item for collection in (rows.stagings, rows.staged, rows.pages) for item, _ in collection.walk()]


def test_a_teammate_who_was_there_before_us_is_known_from_the_first_snapshot_on():
    company = Company()
    assert story(company.teammates(seen("7", JO), requested=READ)) == ["C3 ws1 opened", "C1 7 opened"]
    assert company.findings()[-1]["time"] == READ
    assert under_way(company) == []


def test_a_snapshot_gives_names_roles_and_seats():
    company = Company()
    company.teammates(seen("7", JO, name="Jo Lind", role="Agent"), requested=READ)
    account = TenantState(company.table, TENANT).accounts.get(APP, "7")
    assert account is not None
    assert {name: field.value for name, field in account.fields.items()} == {
        "address": JO,
        "name": "Jo Lind",
        "role_name": "Agent",
    }


def test_a_removal_that_no_webhook_reported_is_found_by_the_next_snapshot_and_says_so_and_is_counted():
    company = Company()
    company.added("7", JO)
    company.added("8", AL)
    company.teammates(seen("7", JO), seen("8", AL), requested=READ)
    findings = company.teammates(seen("7", JO), requested=READ + DAY)
    assert story(findings) == ["S2 ws1 opened", "C1 8 closed fixed"]
    missed, closed = findings
    assert closed["time"] == READ + DAY
    assert closed["confidence_id"] == 1  # it was 1 before: the address is unknown
    assert {"name": "evidence", "value": "snapshot"} in closed["compliance"]["control_parameters"]
    assert {"name": "missed", "value": "1"} in missed["compliance"]["control_parameters"]
    assert closed["evidences"][-1]["data"]["kind"] == "admins.snapshot.ended"
    assert present(company) == {"7"}
    assert story(company.teammates(seen("7", JO), requested=READ + 2 * DAY)) == ["S2 ws1 closed fixed"]


def test_an_inferred_removal_lowers_the_confidence_of_what_it_closes():
    company = Company()
    company.added("7", JO)
    company.staff("77", JO)
    company.staff("78", JO)
    assert company.findings()[-1]["confidence_id"] == 3
    company.teammates(requested=READ)
    closed = company.findings()[-1]
    assert story([closed]) == ["C1 7 closed fixed"]
    assert closed["confidence_id"] == 2


def test_who_is_listed_again_within_ten_minutes_continues_the_same_finding_for_lacking_is_no_explicit_removal():
    company = Company()
    opened = company.added("7", JO)[-1]
    company.teammates(requested=READ)
    reopened = next(
        each for each in company.teammates(seen("7", JO), requested=READ + SECOND) if each["unmapped"]["check"] == "C1"
    )
    assert reopened["finding_info"]["uid"] == opened["finding_info"]["uid"]


def test_a_removal_that_a_webhook_reported_is_not_counted_as_missed():
    company = Company()
    company.added("7", JO)
    company.removed("7", at=T0 + DAY)
    company.teammates(requested=READ)
    assert company.results() == {"C3 ws1": "FAIL", "S1 ws1": "PASS", "S2 ws1": "PASS"}


@pytest.mark.parametrize(("younger_by", "there"), [(YOUNGER_BY, False), (YOUNGER_BY - SECOND, True), (-DAY, True)])
def test_a_snapshot_overrules_no_event_younger_than_its_request_less_two_minutes(younger_by, there):
    company = Company()
    company.added("7", JO, at=READ - younger_by)
    company.teammates(requested=READ)
    assert present(company) == ({"7"} if there else set())


def test_observations_in_any_order_lead_to_the_same_accounts():
    facts = [
        [admin("admin.added", "7", JO, at=T0)],
        teammates_facts(seen("7", JO), seen("8", AL), requested=T0 + DAY),
        [admin("admin.removed", "7", at=T0 + 2 * DAY)],
        teammates_facts(seen("7", JO), requested=T0 + 3 * DAY),
        [admin("admin.seen", "8", AL, at=T0 + 5 * DAY)],
    ]
    answers = []
    for order in permutations(facts):
        company = Company()
        for fact in (fact for part in order for fact in part):
            company.add(fact)
        answers.append({key: (row["result"], row["since"]) for key, row in company.states().items() if row["account"]})
    assert all(each == answers[0] for each in answers)
    assert {key.split("|")[3] for key in answers[0]} == {"7"}
    assert answers[0][f"{TENANT}|C1|{APP}|7|"] == ("FAIL", T0 + 3 * DAY)


def test_who_is_seen_after_a_snapshot_that_lacks_them_is_not_removed_by_it_unless_known_before():
    company = Company()
    company.teammates(requested=READ)
    company.seen("7", JO, at=READ + DAY)
    assert present(company) == {"7"}
    company.seen("7", JO, at=READ - DAY)
    assert present(company) == set()


def test_a_contradiction_in_one_second_is_settled_by_a_snapshot_requested_two_minutes_later():
    for listed in (True, False):
        company = Company()
        company.added("7", JO)
        company.removed("7", at=T0)
        rows = [seen("7", JO)] if listed else []
        company.teammates(*rows, requested=T0 + YOUNGER_BY - 1)
        assert company.results()["C1 7"] == "UNKNOWN"
        company.teammates(*rows, requested=T0 + YOUNGER_BY)
        assert company.results().get("C1 7") == ("FAIL" if listed else None)


def test_parts_in_any_order_repeated_or_interleaved_with_another_snapshot_change_nothing():
    first = teammates_facts(seen("7", JO), seen("8", AL), requested=READ)
    second = teammates_facts(seen("7", JO), requested=READ + DAY)
    expected, company = Company(), Company()
    for fact in [*first, *second]:
        expected.add(fact)
    for fact in [
        first[2],
        second[0],
        first[1],
        second[1],
        first[2],
        second[1],
        first[0],
        first[3],
        second[2],
        second[2],
        first[3],
    ]:
        company.add(fact)
    assert company.results() == expected.results()
    assert under_way(company) == []


def test_a_snapshot_that_is_cut_off_infers_nothing_is_void_after_an_hour_and_alarms_once():
    company = Company()
    company.added("7", JO)
    company.added("8", AL)
    cut_off = teammates_facts(seen("7", JO), requested=READ)[:-1]
    for fact in cut_off:
        company.add(fact)
    begun = company.clock - SECOND
    assert company.deadlines() == [begun + TIMEOUT]
    assert company.tick(begun + TIMEOUT - 1) == []
    (alarm,) = company.tick(begun + TIMEOUT)
    assert story([alarm]) == ["S1 ws1 opened"]
    assert (alarm["time"], alarm["unmapped"]["reason"]) == (begun + TIMEOUT, "snapshot_incomplete")
    assert alarm["evidences"][0]["data"]["kind"] == "admins.snapshot.started"
    assert company.tick(begun + 2 * TIMEOUT) == []
    assert present(company) == {"7", "8"}
    assert under_way(company) == []
    assert story(company.teammates(seen("7", JO), seen("8", AL), requested=READ + DAY)) == ["S1 ws1 closed fixed"]


def test_a_snapshot_cut_off_before_a_complete_one_of_later_is_no_news():
    company = Company()
    company.added("7", JO)
    company.add(teammates_facts(requested=READ)[0])
    company.teammates(seen("7", JO), requested=READ + DAY)
    assert company.tick(company.clock + 2 * TIMEOUT) == []
    assert under_way(company) == []


def test_an_end_that_does_not_fit_is_refused_and_may_be_completed_within_the_hour():
    company = Company()
    company.added("8", AL)
    started, row, end = teammates_facts(seen("7", JO), requested=READ)
    company.add(started)
    company.add(end)
    assert company.ledger()[-1]["outcome"] == "refused"
    assert present(company) == {"8"}
    company.add(row)
    company.add(end)
    assert present(company) == {"7"}


def test_two_pages_read_at_different_times_are_no_snapshot():
    company = Company()
    company.added("7", JO)
    started, first, second, end = teammates_facts(seen("7", JO), seen("8", AL), requested=READ)
    assert second.snapshot is not None
    later = msgspec.structs.replace(second, snapshot=msgspec.structs.replace(second.snapshot, requested=READ + SECOND))
    for fact in (started, first, later, end):
        company.add(fact)
    assert [entry["outcome"] for entry in company.ledger()[-2:]] == ["void", "refused"]
    assert present(company) == {"7"}


def test_a_teammate_who_is_listed_twice_is_one_teammate():
    company = Company()
    company.teammates(seen("7", JO), seen("7", AL), requested=READ)
    assert present(company) == {"7"}
    assert [story([finding]) for finding in company.findings()].count(["C1 7 opened"]) == 1


def test_a_presence_that_rests_on_a_forgotten_snapshot_keeps_its_beginning_and_its_end():
    company = Company()
    company.teammates(seen("7", JO), seen("8", AL), requested=READ)
    company.teammates(seen("7", JO), requested=READ + DAY)
    begun = company.states()[f"{TENANT}|C1|{APP}|7|"]["since"]
    before = len(company.findings())
    for number in range(REMEMBERED + 8):
        company.teammates(seen("7", JO), requested=READ + (2 + number) * DAY)
    assert [finding["unmapped"]["check"] for finding in company.findings()[before:]] == ["S2"]
    assert company.states()[f"{TENANT}|C1|{APP}|7|"]["since"] == begun == READ
    company.policy(everyone())  # everything is evaluated again
    assert company.states()[f"{TENANT}|C1|{APP}|7|"]["since"] == READ
    state = TenantState(company.table, TENANT)
    assert len(state.snapshots_of(APP)) == REMEMBERED
    removed = state.accounts.get(APP, "8")
    assert removed is not None
    ended = presence_of(removed, state.snapshots_of(APP)).removed
    assert ended is not None
    assert ended.time == READ + DAY


def test_a_snapshot_that_repeats_what_is_known_publishes_nothing():
    company = company_of(30)
    rows = [seen(account, f"{account}@acme.example") for account in team(30)]
    company.teammates(*rows, requested=READ)
    before = len([sent for sent in company.sent if sent.topic != "access.ledger"])
    company.teammates(*rows, requested=READ + DAY)
    assert [sent.topic for sent in company.sent if sent.topic != "access.ledger"][before:] == ["access.state", "access.state"]
