"""Posts of Intercom's activity log on their whole way: what the admins agent makes of them, and the finding of a further check."""

from typing import Any

import pytest

from schemas.access.facts import Fact
from tests.streams.agents.test_admins import Agent, logged, post
from tests.streams.core.access.checks.further.activities import switched_on
from tests.support.company import DAY, SECOND, Company, everyone, staff

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
