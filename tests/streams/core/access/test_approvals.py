"""A policy by tickets: access is valid while an approval for the account, or for its owner, is in force."""

from typing import Any

import pytest

from schemas.access.facts import Fact, Grant, Rule
from schemas.ids import derived
from tests.support.company import APP, DAY, T0, TENANT, Company, person_of, story

JO = "jo@acme.example"


def ticket(app: str = APP) -> Rule:
    return Rule(app_id=app, validity="ticket")


def granted(id_: str = "g", *, replaces: str | None = None, app: str | None = APP, account: str | None = None,
            staff: str | None = None, **grant: Any) -> Fact:  # fmt: skip
    return Fact(
        id=derived("granted", id_, replaces, *grant.values()), tenant=TENANT, kind="approval.granted", source="tickets", basis="decided",
        replaces=replaces, app_id=app, account=account, staff=staff, grant=Grant(id=id_, ticket="ACC-1", **grant),
    )  # fmt: skip


def revoked(grant: Fact, *, replaces: str | None = "the grant") -> Fact:
    assert grant.grant is not None
    return Fact(
        id=derived("revoked", grant.id, replaces), tenant=TENANT, kind="approval.revoked", source="tickets", basis="decided",
        replaces=grant.id if replaces == "the grant" else replaces, grant=Grant(id=grant.grant.id),
    )  # fmt: skip


@pytest.fixture
def company() -> Company:
    company = Company()
    company.staff("77", JO)
    company.added("7", JO)
    company.policy(ticket())
    return company


def c4(company: Company) -> tuple[str, str]:
    row = next(row for row in company.states().values() if row["check"] == "C4")
    return row["result"], row["reason"]


def test_without_an_approval_access_fails_and_with_one_it_passes(company: Company):
    assert c4(company) == ("FAIL", "no_approval")
    found = company.add(granted(account="7"))
    assert (story(found), c4(company)) == (["C4 7 closed fixed"], ("PASS", "approved"))


@pytest.mark.parametrize(
    ("how", "result"),
    [
        ({"staff": person_of("77")}, "PASS"),
        ({"staff": person_of("77"), "app": None}, "PASS"),
        ({"staff": person_of("77"), "app": "ws2"}, "FAIL"),
        ({"staff": person_of("78")}, "FAIL"),
        ({"account": "8"}, "FAIL"),
        ({"account": "7", "app": "ws2"}, "FAIL"),
        ({}, "FAIL"),
    ],
)
def test_an_approval_is_for_an_account_or_a_person_in_one_workspace_or_in_any(company: Company, how: dict[str, Any], result: str):
    company.add(granted(**how))
    assert c4(company)[0] == result


def test_an_approval_begins_and_ends_at_its_instants(company: Company):
    starts, ends = company.clock + DAY, company.clock + 2 * DAY
    assert company.add(granted(account="7", starts=starts, expires=ends)) == []
    found = company.tick(ends + DAY)
    assert [(story([each])[0], each["time"]) for each in found] == [("C4 7 closed fixed", starts), ("C4 7 opened", ends)]
    assert c4(company) == ("FAIL", "approval_ended")
    cited = [each["data"]["cites"] for each in found[-1]["evidences"] if each["data"].get("kind") == "approval.granted"]
    assert cited == [{"approval": "g", "ticket": "ACC-1", "ends": "2026-01-13T00:00:03.000Z"}]


def test_one_approval_of_a_person_ends_for_all_their_accounts_at_once(company: Company):
    company.added("8", JO)
    ends = company.clock + DAY
    company.add(granted(staff=person_of("77"), expires=ends))
    assert sorted(story(company.tick(ends))) == ["C4 7 opened", "C4 8 opened"]


def test_a_revoked_approval_has_ended_when_it_was_revoked(company: Company):
    grant = granted(account="7", expires=company.clock + 9 * DAY)
    company.add(grant)
    found = company.add(revoked(grant))
    assert (story(found), found[-1]["time"]) == (["C4 7 updated"], company.clock)  # within ten minutes: the same episode
    assert c4(company) == ("FAIL", "approval_ended")
    assert company.tick(company.clock + 20 * DAY) == []


def test_approvals_that_follow_each_other_without_a_gap_are_one(company: Company):
    first, second = company.clock + DAY, company.clock + 2 * DAY
    company.add(granted("a", account="7", expires=first))
    began = company.clock
    company.add(granted("b", account="7", starts=first, expires=second))
    assert company.tick(first) == []
    row = next(row for row in company.states().values() if row["check"] == "C4")
    assert (row["result"], row["since"]) == ("PASS", began)
    assert story(company.tick(second)) == ["C4 7 opened"]


def test_an_id_is_taken_until_it_is_revoked(company: Company):
    grant = granted(account="7", expires=company.clock + DAY)
    company.add(grant)
    company.add(granted(account="8", replaces=grant.id))
    assert company.ledger()[-1]["outcome"] == "void"
    company.add(granted(account="8"))
    assert company.ledger()[-1]["outcome"] == "stale"
    company.add(revoked(grant))
    again = granted(account="7", replaces=revoked(grant).id)
    company.add(again)
    assert (company.ledger()[-1]["outcome"], c4(company)) == ("applied", ("PASS", "approved"))
    company.add(revoked(again, replaces=grant.id))
    assert company.ledger()[-1]["outcome"] == "stale"
    company.add(revoked(granted("unknown"), replaces=None))
    assert company.ledger()[-1]["outcome"] == "void"


def test_an_approval_that_ends_before_it_starts_never_began(company: Company):
    company.add(granted(account="7", starts=T0 + DAY, expires=T0))
    assert c4(company) == ("FAIL", "no_approval")
