"""What people do about a finding: it carries who acknowledged it, to whom it is assigned, and the last comment, until it closes."""

from typing import Any

import pytest

from schemas.access.facts import Case, Fact, FactPersonalData
from schemas.ids import derived
from streams.core.access.findings.episodes import REOPENS_WITHIN
from tests.streams.core.access.exempting import Exempting
from tests.support.company import APP, SECOND, T0, TENANT, Company, by_rules, everyone, story

JO = "jo@acme.example"
NEW, IN_PROGRESS, SUPPRESSED = 1, 2, 3


def opened() -> tuple[Company, str]:
    company = Company()
    company.policy(everyone())
    (finding,) = company.added("7", JO)
    return company, finding["finding_info"]["uid"]


def handled(finding: str, action: str, *, comment: str | None = None, assignee: str | None = None, **how: Any) -> Fact:
    how = {"app_id": APP, "account": "7"} | how
    return Fact(
        id=derived("handled", finding, action, comment, assignee), tenant=TENANT, kind="finding.handled", source="operator",
        basis="decided", case=Case(finding=finding, action=action, assignee=assignee), person=FactPersonalData(text=comment), **how,
    )  # fmt: skip


def test_an_acknowledged_finding_is_in_progress_and_stays_so():
    company, uid = opened()
    (finding,) = company.add(handled(uid, "acknowledged", comment="I ask them"))
    assert (story([finding]), finding["status_id"], finding["comment"]) == (["C1 7 updated"], IN_PROGRESS, "I ask them")
    assert finding["unmapped"]["handling"]["action"] == "acknowledged"
    (finding,) = company.add(handled(uid, "commented", comment="no answer yet"))
    assert (finding["status_id"], finding["comment"]) == (IN_PROGRESS, "no answer yet")


def test_an_assignee_stays_until_the_next_one_and_stands_in_the_state():
    company, uid = opened()
    company.add(handled(uid, "assigned", assignee="team:it"))
    (finding,) = company.add(handled(uid, "commented", comment="soon"))
    row = company.states()["acme|C1|ws1|7|"]
    assert (finding["unmapped"]["handling"]["assignee"], finding["status_id"]) == ("team:it", NEW)
    assert (row["handling"]["action"], row["handling"]["assignee"]) == ("commented", "team:it")


def test_the_same_fact_again_changes_nothing_also_behind_another():
    company, uid = opened()
    first = handled(uid, "acknowledged")
    company.add(first)
    company.add(handled(uid, "commented", comment="soon"))
    assert company.add(first) == []
    assert company.ledger()[-1]["outcome"] == "superseded"


def test_a_workspaces_finding_is_handled_too():
    company = Company()
    uid = company.added("7", JO)[0]["finding_info"]["uid"]
    (finding,) = company.add(handled(uid, "acknowledged", comment="the policy comes", account=None))
    assert (finding["unmapped"]["check"], finding["status_id"], finding["comment"]) == ("C3", IN_PROGRESS, "the policy comes")


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"finding": "unknown"}, "acknowledged"),
        ({"account": "8"}, "acknowledged"),
        ({"account": None}, "acknowledged"),
        ({}, "dismissed"),
        ({}, "assigned"),
    ],
    ids=str,
)
def test_what_is_about_no_open_finding_or_says_nothing_is_void(how, word):
    company, uid = opened()
    assert company.add(handled(how.pop("finding", uid), word, **how)) == []
    assert company.ledger()[-1]["outcome"] == "void"


def test_a_closed_finding_takes_no_handling_and_a_new_episode_begins_without():
    company, uid = opened()
    company.add(handled(uid, "acknowledged"))
    company.removed("7", at=T0 + SECOND)
    company.add(handled(uid, "commented", comment="late"))
    assert company.ledger()[-1]["outcome"] == "void"
    (finding,) = company.added("7", JO, at=T0 + 2 * SECOND)
    assert (finding["status_id"], "handling" in finding["unmapped"]) == (NEW, False)


def test_a_finding_that_reopens_within_ten_minutes_keeps_its_handling():
    company, uid = opened()
    company.add(handled(uid, "acknowledged"))
    company.staff("77", JO)
    (finding,) = company.staff("78", JO)  # two have the address now
    assert (finding["finding_info"]["uid"], finding["status_id"]) == (uid, IN_PROGRESS)
    assert REOPENS_WITHIN > SECOND


def test_an_exempt_finding_stays_suppressed_while_it_is_handled():
    company, uid = opened()
    company.add(Exempting(check="C1").granted())
    (finding,) = company.add(handled(uid, "acknowledged"))
    assert finding["status_id"] == SUPPRESSED


@pytest.mark.parametrize("assignee", [" ", "\u200b"], ids=ascii)
def test_a_finding_is_not_assigned_to_nobody(assignee):
    company = by_rules("5")
    company.policy(everyone())
    (finding,) = company.added("7", JO)
    assert company.add(handled(finding["finding_info"]["uid"], "assigned", assignee=assignee)) == []
    assert company.ledger()[-1]["outcome"] == "void"
