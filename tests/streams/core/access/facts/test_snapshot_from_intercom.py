"""Intercom's list of teammates as a snapshot: what is in it, and which lists are refused because they may lack somebody."""

import json
from typing import Any

import msgspec
import pytest

from schemas.access.facts import Actor, Fact, Rule, snapshot_hash
from schemas.errors import InvalidRecord
from streams.core.access.facts.apply import check
from streams.core.access.facts.snapshot_from_intercom import TeammateReading, snapshot_facts
from tests.support.company import APP, DAY, T0, TENANT, Company, by_rules, story

JO = {
    "type": "admin", "id": "578141256", "name": "Jo Brandt", "email": "jo@acme.example", "away_mode_enabled": False,
    "away_mode_reassign": False, "has_inbox_seat": True, "team_ids": [814, 815],
}  # fmt: skip
AL = {
    **JO,
    "id": "947183877",
    "name": "Al Quill",
    "email": "al@acme.example",
    "role": {"type": "role", "id": "7", "name": "Agent"},
}
FIN = {**JO, "id": "1", "name": "Fin", "email": f"operator+{APP}@intercom.io"}


def body(*admins: Any, **more: Any) -> bytes:
    return json.dumps({"type": "admin.list", "admins": admins, **more}).encode()


def facts_of(data: bytes, requested: int = T0 + 10 * DAY) -> list[Fact]:
    reading = TeammateReading(
        tenant=TENANT, app_id=APP, requested=requested, body=data, file="admins.json", actor=Actor(kind="operator", id="x")
    )
    return snapshot_facts(reading)


def accounts_of(data: bytes) -> list[str | None]:
    return [fact.account for fact in facts_of(data)[1:-1]]


def test_each_teammate_is_a_row_with_what_the_list_says_of_them():
    started, jo, al, ended = facts_of(body(JO, AL))
    assert [fact.kind.rpartition(".")[2] for fact in (started, jo, al, ended)] == ["started", "row", "row", "ended"]
    assert (jo.account, jo.person and jo.person.name, jo.person and jo.person.addresses) == (
        "578141256",
        "Jo Brandt",
        ("jo@acme.example",),
    )
    assert jo.admin is not None
    assert (jo.admin.has_inbox_seat, jo.admin.team_ids, jo.admin.role_name) == (True, ("814", "815"), "")
    assert al.admin is not None
    assert al.admin.role_name == "Agent"
    assert {fact.time for fact in (started, jo, al, ended)} == {T0 + 10 * DAY}
    assert {each.file for each in jo.evidence} == {"admins.json"}
    assert ended.snapshot is not None
    assert (ended.snapshot.count, ended.snapshot.hash) == (2, snapshot_hash([jo.id, al.id]))


def roles_of(data: bytes) -> list[tuple[str | None, str | None]]:
    return [(fact.admin.role_id, fact.admin.role_name) for fact in facts_of(data)[1:-1] if fact.admin]


def test_whoever_has_no_role_in_a_list_that_has_roles_has_none_and_a_list_without_any_says_nothing():
    assert roles_of(body(JO, AL)) == [("", ""), ("7", "Agent")]
    assert roles_of(body({**JO, "role": None}, AL)) == [("", ""), ("7", "Agent")]
    assert roles_of(body(JO, {**JO, "id": "8"})) == [(None, None), (None, None)]
    assert roles_of(body(JO, {**FIN, "role": AL["role"]})) == [(None, None)]  # the bot is no teammate


def test_a_role_that_was_taken_away_allows_no_access_any_more():
    company = by_rules("5")
    company.policy(Rule(app_id=APP, validity="intercom_roles", intercom_roles={"Support": ("Agent",)}))
    company.staff("77", "jo@acme.example", roles=("Support",))
    company.staff("88", "al@acme.example", roles=("Support",))
    listed = T0 + 10 * DAY
    for requested, jo in ((listed, {**JO, "role": AL["role"]}), (listed + DAY, JO)):
        found = [finding for fact in facts_of(body(jo, AL), requested) for finding in company.add(fact)]
    assert story(found) == [f"C4 {JO['id']} opened"]
    assert (found[0]["unmapped"]["reason"], found[0]["time"]) == ("intercom_role_not_allowed", listed + DAY)
    assert "has the Intercom role none in" in found[0]["message"]
    assert company.results()[f"C4 {AL['id']}"] == "PASS"


def test_every_part_has_what_its_kind_has_to_carry():
    for fact in facts_of(body(JO)):
        check(fact)


def test_the_same_answer_to_one_request_is_one_snapshot_and_to_another_request_another():
    assert facts_of(body(JO)) == facts_of(body(JO))
    ids = [fact.id for fact in [*facts_of(body(JO)), *facts_of(body(JO), T0), *facts_of(body(JO, AL))]]
    assert len(set(ids)) == len(ids)


def test_the_fin_bot_is_no_teammate():
    assert accounts_of(body(FIN, JO)) == ["578141256"]


def test_a_teammate_who_is_in_the_list_twice_is_one_and_two_that_differ_are_refused():
    assert accounts_of(body(JO, AL, JO)) == ["578141256", "947183877"]
    with pytest.raises(InvalidRecord, match="teammate 3 of the list is in it before with other values"):
        facts_of(body(JO, AL, {**JO, "has_inbox_seat": False}))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (body(JO, AL)[:-20], "not whole JSON.*cut off"),
        (b"", "not whole JSON"),
        (b"\xff", "not whole JSON"),
        (b"[]", "no answer of Intercom's GET /admins"),
        (b'{"type": "error.list", "errors": [{"code": "token_unauthorized"}]}', "type is 'error.list'"),
        (body(JO, pages={"next": "x"}), "one page of several"),
        (body(JO, total_count=2), "one page of several"),
        (body(), "no teammate"),
        (body(FIN), "no teammate"),
        (body(JO, {**AL, "id": None}), "entry 2 of the list is no teammate"),
        (body(JO, "Al"), "entry 2 of the list is no teammate"),
        (body(JO, {**AL, "type": "team"}), "entry 2 of the list is no teammate"),
    ],
)
def test_a_list_that_may_lack_somebody_is_refused_and_says_why(data, words):
    with pytest.raises(InvalidRecord, match=words):
        facts_of(data)


def test_a_list_whose_total_fits_is_whole():
    assert accounts_of(body(JO, total_count=1, pages={"next": None})) == ["578141256"]


def test_no_address_or_name_is_in_an_error():
    with pytest.raises(InvalidRecord) as refused:
        facts_of(body(JO, {**JO, "name": "Jo Other"}))
    assert not any(text in str(refused.value) for text in ("jo@", "Brandt", "Other"))


def test_the_facts_of_a_list_apply_as_a_whole():
    company = Company()
    for fact in facts_of(body(JO, AL, FIN)):
        company.add(fact)
    assert {row["account"] for row in company.states().values() if row["check"] == "C1"} == {"578141256", "947183877"}
    cut_off = facts_of(body(JO), T0 + 11 * DAY)[:-1]
    for fact in cut_off:
        company.add(msgspec.structs.replace(fact, app_id=APP))
    assert len([row for row in company.states().values() if row["check"] == "C1"]) == 2
