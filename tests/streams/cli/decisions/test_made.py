"""Which decision stands, and what a sentence about it says; who is the one that decides; which line of a list is shown."""

from typing import Any

import msgspec
import pytest

from schemas.access.facts import Admin, Classification, Fact, FactPersonalData, Grant, StaffChoice
from schemas.access.findings import CheckState
from streams.cli.access.lines import is_wanted, lines_of
from streams.cli.access.teammates import described
from streams.cli.decisions.exemptions import ExemptionSubject, standing_grants, state_of
from streams.cli.decisions.made import MadeDecision, sentence_about, standing
from streams.cli.decisions.requester import Requester, made_by
from streams.ops.reports.csv_form import harmless
from tests.support.company import APP, DAY, T0, admin

ADA = Requester("ada", "ada")


def made(id_: str, replaces: str | None, outcome: str | None, **parts: Any) -> MadeDecision:
    fact = Fact(
        id=id_, tenant="acme", kind=parts.pop("kind", "account.linked"), source="operator", basis="decided", replaces=replaces,
        person=FactPersonalData(actor="ada", text="as agreed"), **parts,
    )  # fmt: skip
    return MadeDecision(fact, T0, outcome)


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ([], None),
        ([made("1", None, "applied")], "1"),
        ([made("1", None, "applied"), made("2", None, "stale")], "1"),
        ([made("1", None, "applied"), made("2", "1", "applied"), made("3", "1", "stale")], "2"),
        ([made("1", None, "void"), made("2", None, "applied")], "2"),
        ([made("1", None, "applied"), made("2", "1", None)], "2"),
        ([made("1", None, "applied"), made("2", None, None)], "1"),
    ],
)
def test_the_decision_stands_that_was_applied_last_and_without_an_outcome_the_one_that_replaces_it(decisions, expected):
    found = standing(decisions)
    assert (found.fact.id if found else None) == expected


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        ({"staff": "someone"}, "account.linked someone"),
        ({"kind": "account.unlinked"}, "account.unlinked"),
        ({"kind": "account.classified", "classification": Classification(kind="external", owner="o", expires=T0)},
         "account.classified external owner o until 2026-01-01T00:00:00.000Z"),
        ({"kind": "exemption.granted", "grant": Grant(id="x1", check="C2")}, "exemption.granted C2 as x1 without end"),
        ({"kind": "staff.decided", "staff": "s", "choice": StaffChoice(field="employment", source="idp")}, "staff.decided source idp"),
    ],
)  # fmt: skip
def test_a_sentence_says_who_decided_what_when_and_why(parts, content):
    assert (
        sentence_about(made("1", None, "applied", **parts))
        == f"ada decided at 2026-01-01T00:00:00Z: {content}, because: as agreed"
    )


def test_trying_again_is_the_same_decision_and_another_content_is_another():
    first, again = (made_by(ADA, "why", tenant="acme", kind="account.linked", replaces=None, staff="s") for _ in range(2))
    assert first == again
    assert first.id != made_by(ADA, "why", tenant="acme", kind="account.linked", replaces=None, staff="t").id
    assert first.id != made_by(ADA, "why", tenant="acme", kind="account.linked", replaces="before", staff="s").id


@pytest.mark.parametrize(("name", "expected"), [("Ada ", True), ("command line", False), ("bo", False)])
def test_an_approver_is_the_one_who_asks_by_any_spelling(name, expected):
    assert ADA.is_called(name) is expected
    assert Requester(None, "bo").is_called("command line")


def test_of_two_who_grant_at_once_both_would_take_the_same_id_and_the_next_one_takes_another():
    subject = ExemptionSubject("acme", "C2", "ws1", "7")
    first = made("1", None, "applied", kind="exemption.granted", app_id="ws1", account="7", grant=Grant(id="x", check="C2"))
    assert subject.next_id([]) == subject.next_id([]) != subject.next_id([first])
    assert subject.next_id([]) != ExemptionSubject("acme", "C2", "ws1", "8").next_id([])
    assert subject.matter.about(first.fact)


def test_a_grant_stands_until_it_is_revoked():
    granted = made("1", None, "applied", kind="exemption.granted", grant=Grant(id="x", check="C2"))
    revoked = made("2", "1", "applied", kind="exemption.revoked", grant=Grant(id="x"))
    late = made("3", "1", "stale", kind="exemption.revoked", grant=Grant(id="x"))
    assert standing_grants([granted, late]) == [granted]
    assert standing_grants([granted, revoked]) == []


def answer(check: str, result: str, **parts: Any) -> CheckState:
    return CheckState(tenant="acme", check=check, app_id="ws1", result=result, reason="r", since=T0, rule_version="1", **parts)


@pytest.mark.parametrize(
    ("starts", "expires", "known", "expected"),
    [
        (T0, T0 + DAY, answer("C2", "EXEMPT", finding="f", exemption="x"), "ended"),
        (T0 + 3 * DAY, None, None, "not begun"),
        (T0, None, answer("C2", "PASS"), "unneeded"),
        (T0, None, None, "unneeded"),
        (T0, None, answer("C2", "EXEMPT", finding="f", exemption="x"), "in force"),
        (T0, None, answer("C2", "FAIL", finding="f"), "void"),
        (None, None, answer("C2", "EXEMPT", finding="f", exemption="another"), "covered"),
    ],
)
def test_the_state_of_an_exemption_is_that_of_its_time_and_its_subject(starts, expires, known, expected):
    assert state_of(Grant(id="x", check="C2", starts=starts, expires=expires), T0, known, T0 + 2 * DAY) == expected


def test_a_list_has_a_line_for_each_subject_and_shows_those_that_are_wanted():
    lines = lines_of([answer("C1", "PASS", account="7"), answer("C2", "FAIL", account="7"), answer("C3", "PASS")], {})
    assert [(line.account, sorted(line.checks)) for line in lines] == [(None, ["C3"]), ("7", ["C1", "C2"])]
    wanted = [
        [line.account for line in lines if is_wanted(line, check, results)]
        for check, results in (("C2", ()), (None, ("PASS",)), ("C1", ("FAIL",)))
    ]
    assert wanted == [["7"], [None, "7"], []]


@pytest.mark.parametrize(("text", "expected"), [("=1+1", "'=1+1"), ("@x", "'@x"), ("jo@x", "jo@x"), (None, "")])
def test_no_cell_of_a_csv_is_a_formula(text, expected):
    assert harmless(text) == expected


def test_the_role_of_a_teammate_is_the_last_that_was_said_also_where_it_is_none():
    listed = [admin("admin.seen", "7", "jo@acme.example", at=T0 + day * DAY) for day in range(3)]
    roles = Admin(role_id="7", role_name="Agent"), Admin(role_id="", role_name=""), Admin()
    facts = [msgspec.structs.replace(fact, admin=role) for fact, role in zip(listed, roles, strict=True)]
    assert [described(facts[: place + 1])[APP, "7"].role for place in range(3)] == ["Agent", "", ""]
