"""Posts of Intercom's activity log on their whole way: what the admins agent makes of them, and the finding of a further check."""

import json
from random import Random
from typing import Any

import pytest

from schemas.access import fact_records
from schemas.access.facts import Fact, Rule
from schemas.cloudevents import Origin
from schemas.errors import InvalidRecord
from schemas.intercom.rest_objects import ACTIVITY_LOG, ReadAs, Reading
from schemas.message import RecordValue
from tests.streams.agents.test_admins import ADMIN, Agent, logged, post
from tests.streams.core.access.checks.further.activities import switched_on
from tests.support.company import APP, AVRO, DAY, SECOND, Company, everyone, staff

JO = "jo@acme.example"
AT = 1_768_000_000  # s: before the company's log begins
LEFT = AT * SECOND - DAY
ALL: dict[str, Any] = {
    "C6": {}, "C7": {}, "C9": {"accounts": ["1"]}, "C10": {}, "C11": {"methods": ["saml"]}, "C12": {}, "C13": {}, "C14": {},
}  # fmt: skip


def opened_by(*posts: dict[str, Any]) -> dict[str, str]:
    """Return what the further checks answer about a leaver, or the workspace, after these posts."""
    company = Company()
    company.policy(everyone())
    company.add(switched_on(**ALL))
    company.add(staff("77", JO, at=AT * SECOND - 2 * DAY, ends=LEFT))
    company.add(staff("78", "al@acme.example", at=AT * SECOND - 2 * DAY, ends=LEFT))
    facts: list[Fact] = Agent().facts(post("admin.added_to_workspace", at=AT - 100_000), *posts)
    for fact in facts:
        company.add(fact)
    return {row["check"]: row["reason"] for row in company.states().values() if row["check"] in ALL}


@pytest.mark.parametrize(("entry", "check", "reason"), [
    (logged("admin_login_success", at=AT, metadata={"sign_in_method": "saml"}), "C6", "login_after_end"),
    (post("admin.logged_in", at=AT), "C6", "login_after_end"),
    (logged("admin_login_success", at=AT, metadata={"sign_in_method": "password"}), "C11", "other_method"),
    (logged("admin_login_success", at=AT, metadata=None), "C11", "method_not_reported"),
    (logged("admin_unauthorized_sign_in_method", at=AT), "C11", "other_method"),
    (logged("admin_invite_creation", at=AT, metadata={"email": "mallory@elsewhere.example"}), "C7", "invited_unknown"),
    (logged("admin_invite_creation", at=AT, metadata={"invite": {"email": "al@acme.example"}}), "C7", "invited_leaver"),
    (logged("admin_invite_creation", at=AT, metadata={}), "C7", "invitee_not_named"),
    (logged("seat_change", at=AT), "C9", "changed_by_hand"),
    (logged("admin_two_factor_auth_change", at=AT, metadata={"before": True, "after": False}), "C10", "two_factor_off"),
    (logged("admin_two_factor_auth_change", at=AT, metadata={"x": 1}), "C10", "metadata_unknown"),
    (logged("bulk_export", at=AT), "C12", "made_after_end"),
    (logged("macro_usage_export", at=AT), "C12", "made_after_end"),
    (logged("app_webhook_creation", at=AT), "C13", "credentials_left"),
    (logged("admin_impersonation_consent_approved", at=AT, metadata={"consent_id": 4, "expired_at": AT + 10**6}), "C14", "consent"),
])  # fmt: skip
def test_a_post_of_the_log_is_answered_by_its_check(entry: dict[str, Any], check: str, reason: str):
    assert opened_by(entry)[check] == reason


@pytest.mark.parametrize("order", [1, -1], ids=["oldest first", "newest first"])
def test_a_login_by_another_method_is_found_whatever_login_is_known_first(order: int):
    logins = [
        logged("admin_login_success", at=AT + number, metadata={"sign_in_method": method})
        for number, method in enumerate(("password", "saml"))
    ]
    assert opened_by(*logins[::order])["C11"] == "other_method"


@pytest.mark.parametrize("order", [1, -1], ids=["oldest first", "newest first"])
def test_an_address_of_somebody_who_left_is_known_whichever_post_is_first(order: int):
    renamed = [
        post("admin.away_mode_updated", {**ADMIN, "email": address}, at=AT + number)
        for number, address in enumerate((JO, "new@acme.example"))
    ]
    company = Company()
    company.policy(everyone())
    company.add(staff("77", JO, at=AT * SECOND - 2 * DAY, ends=LEFT))
    for fact in Agent().facts(*renamed[::order]):
        company.add(fact)
    (row,) = (row for row in company.states().values() if row["check"] == "C2")
    assert row["result"] != "PASS"
    assert row["finding"] is not None


def test_the_login_of_the_log_and_the_webhook_of_the_same_login_are_both_known_whichever_is_first():
    by_log, by_webhook = (
        logged("admin_login_success", at=AT, metadata={"sign_in_method": "password"}),
        post("admin.logged_in", at=AT),
    )
    for posts in ((by_log, by_webhook), (by_webhook, by_log)):
        assert opened_by(*posts)["C11"] == "other_method"


def test_a_post_delivered_twice_is_one_event():
    entry = logged("seat_change", at=AT)
    agent = Agent()
    assert len(agent.facts(entry, entry)) == 1


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        "text",
        5,
        {"enabled": "perhaps"},
        {"after": []},
        {"expired_at": -1},
        {"sign_in_method": {"x": 1}},
        {"email": 7},
        {"consent_id": True, "expired_at": 10**30},
    ],
)
def test_metadata_of_any_form_stops_nothing(metadata: Any):
    types = (
        "admin_login_success", "admin_invite_creation", "admin_two_factor_auth_change", "admin_impersonation_consent_approved",
        "admin_unauthorized_sign_in_method", "seat_change",
    )  # fmt: skip
    found = opened_by(*(logged(type_, at=AT + number, metadata=metadata) for number, type_ in enumerate(types)))
    assert found["C9"] == "changed_by_hand"


def read(entry: dict[str, Any], read_as: ReadAs = ReadAs.LISTED) -> RecordValue:
    """Return the entry that a post is about, as a backfill or a resync writes it."""
    item = entry["data"]["item"]
    reading = Reading(
        app_id="ws1", type=ACTIVITY_LOG, entity=item["id"], value=json.dumps(item).encode(), read_as=read_as, requested_at=(AT + 50) * SECOND
    )  # fmt: skip
    return RecordValue(reading.key.encode(), reading.value, reading.headers(Origin.RESYNC, 1), 60)


def facts_of(*records: RecordValue) -> list[Fact]:
    agent = Agent()
    return [fact_records.decode(AVRO, sent.value) for record in records for sent in agent.steps(record)]


def test_an_entry_is_the_same_fact_once_whether_it_was_posted_or_read():
    entry = logged("seat_change", at=AT)
    posted = RecordValue(b"ws1", json.dumps(entry).encode(), [], 40)
    orders = ([posted, read(entry)], [read(entry), posted], [read(entry), read(entry)])
    found = [facts_of(*order) for order in orders]
    assert [[(each.kind, each.time, each.account, each.activity) for each in facts] for facts in found] == [
        [(fact.kind, fact.time, fact.account, fact.activity) for fact in facts_of(posted)]
    ] * 3


def test_what_was_in_the_log_before_a_workspace_was_connected_is_no_fact():
    assert facts_of(read(logged("seat_change", at=AT), ReadAs.HISTORY)) == []


def test_an_entry_that_cannot_be_understood_is_refused():
    entry = read(logged("seat_change", at=AT))
    for value in (b"", b"[]", b'{"id":"x"}', b'{"created_at":5}'):
        with pytest.raises(InvalidRecord, match="an entry of the activity log"):
            facts_of(RecordValue(entry.key, value, entry.headers, 60))


def posts_at_random(draw: Random) -> list[dict[str, Any]]:
    """Return posts about two teammates, oldest first, many within one second: the addresses are Jo's, who left, Al's, and nobody's."""
    found = []
    for number in range(draw.randint(4, 12)):
        at, id_ = AT + draw.choice([0, 1, 100, 3600]) * draw.randint(0, 3), f"n{number}"
        teammate: dict[str, Any] = {**ADMIN, "id": draw.choice([1, 2])}
        teammate["email"] = draw.choice([JO, "al@acme.example", "new@elsewhere.example"])
        if draw.random() < 0.3:
            teammate["role"] = {"type": "role", "id": "r", "name": draw.choice(["Agent", "Admin"])}
        topic = draw.choice(["added_to_workspace", "removed_from_workspace", "away_mode_updated", "logged_in", "", ""])
        if topic:
            found.append(post(f"admin.{topic}", teammate, at=at, id_=id_))
            continue
        type_ = draw.choice(
            ["admin_login_success", "admin_login_success", "role_change", "app_data_export", "message_state_change"]
        )
        entry = logged(type_, at=at, by=str(teammate["id"]), metadata={"sign_in_method": draw.choice(["saml", "password"])})
        entry["id"], item = id_, entry["data"]["item"]
        item["id"], item["performed_by"]["email"] = f"log {number}", teammate["email"]
        found.append(entry)
    return sorted(found, key=lambda each: (each["created_at"], each["id"]))


def answered(posts: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[str, str, bool]]:
    """Return what every check answers, why, and whether it has a finding, after these posts."""
    company = Company()
    company.policy(Rule(app_id=APP, validity="intercom_roles", intercom_roles={"Support": ("Agent",)}))
    company.add(switched_on(**ALL))
    company.staff("77", JO, at=LEFT, ends=(AT + 50) * SECOND, roles=("Support",))
    company.staff("88", "al@acme.example", at=LEFT, roles=("Support",))
    for fact in Agent().facts(*posts):
        company.add(fact)
    rows = company.states().values()
    return {(row["check"], row["account"] or ""): (row["result"], row["reason"], row["finding"] is not None) for row in rows}


@pytest.mark.parametrize("seed", range(40))
def test_posts_in_any_order_lead_to_the_same_answers(seed: int):
    draw = Random(seed)
    posts = posts_at_random(draw)
    right = answered(posts)
    assert answered(posts[::-1]) == right
    assert answered(draw.sample(posts, len(posts))) == right
