"""All further checks: switched on and off by the settings, with their severity, whatever the order of facts."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from schemas.access.facts import Fact
from streams.core.access.checks.table import ACCOUNT_CHECKS
from streams.core.access.facts.activity.remembered import REMEMBERED
from streams.core.access.state.tenant import TenantState
from tests.streams.core.access.checks.further.activities import (
    ENDED,
    HOUR,
    JO,
    company_with,
    did,
    logged_in,
    switched_on,
    with_seat,
)
from tests.support.company import APP, DAY, T0, TENANT, Company, admin, everyone, settings, staff, story

FURTHER = [check for check in ACCOUNT_CHECKS if check.further]
EVERYTHING = [
    logged_in("7", at=ENDED + HOUR, sign_in_method="password"), did("admin_unauthorized_sign_in_method", "7", at=T0 + 7 * DAY),
    did("seat_change", "7", at=T0 + 7 * DAY), did("bulk_export", "7", at=ENDED + HOUR), did("app_webhook_creation", "7", at=T0 + DAY),
    did("admin_two_factor_auth_change", "7", at=T0 + 7 * DAY, enabled=False), did("admin_impersonation_consent_approved", "7", at=T0 + 7 * DAY),
]  # fmt: skip


def happened(*decisions: Fact) -> Company:
    company = Company()
    company.policy(everyone())
    for fact in decisions:
        company.add(fact)
    company.staff("77", JO, ends=ENDED)
    company.add(with_seat("7", JO, True))
    company.removed("7", at=T0 + HOUR)
    company.add(with_seat("7", JO, True, at=T0 + 2 * HOUR))
    for fact in EVERYTHING:
        company.add(fact)
    return company


ALL: dict[str, dict[str, Any]] = {check.id: {} for check in FURTHER} | {
    "C9": {"accounts": ["1"]},
    "C11": {"methods": ["saml"]},
    "C15": {"days": 1},
}


def test_no_further_check_says_anything_unless_it_is_switched_on():
    assert not {line.split()[0] for line in happened().results()} & {check.id for check in FURTHER}


@pytest.mark.parametrize("check", FURTHER, ids=lambda check: check.id)
def test_each_is_switched_on_alone_with_its_severity_also_for_what_happened_before(check: Any):
    company = happened()
    company.add(switched_on(**{check.id: {**ALL[check.id], "severity": 1}}))
    company.tick(company.clock + 2 * DAY)
    ours = {other.id for other in FURTHER} & {line.split()[0] for line in company.results()}
    assert ours == {check.id}
    assert company.results()[f"{check.id} 7"] == "FAIL"
    (opened,) = [each for each in company.findings() if each["unmapped"]["check"] == check.id and each["activity_id"] == 1]
    assert opened["severity_id"] == 1
    assert "{" not in opened["message"] + opened["finding_info"]["desc"]
    assert "-" not in opened["finding_info"]["desc"].split()


def test_switching_one_off_closes_its_findings_as_no_longer_applicable():
    on = switched_on(**ALL)
    company = happened(on)
    off = switched_on(on.id)
    closed = {line for line in story(company.add(off)) if "closed" in line}
    assert {f"{check.id} 7 closed not_applicable" for check in FURTHER if check.id != "C15"} <= closed


def test_in_whatever_order_facts_arrive_the_answers_are_the_same():
    forwards, backwards = happened(switched_on(**ALL)), Company()
    backwards.policy(everyone())
    backwards.add(switched_on(**ALL))
    backwards.staff("77", JO, ends=ENDED)
    for fact in reversed(EVERYTHING):
        backwards.add(fact)
    backwards.add(with_seat("7", JO, True, at=T0 + 2 * HOUR))
    backwards.removed("7", at=T0 + HOUR)
    backwards.add(with_seat("7", JO, True))
    end = max(forwards.clock, backwards.clock) + DAY
    for company in (forwards, backwards):
        company.tick(end)

    def answers(company: Company) -> dict[str, tuple[Any, ...]]:
        return {key: (row["result"], row["reason"], row["since"]) for key, row in company.states().items()}

    assert answers(forwards) == answers(backwards)


def test_settings_that_cannot_be_read_switch_nothing_on():
    company = happened(settings(further={"checks": '{"C6": 5}'}))
    assert "C6 7" not in company.results()


@pytest.mark.parametrize("number", [-(10**13), -1, 10**13, 2**63 - 1])
def test_numbers_in_settings_that_make_no_sense_are_the_checks_own(number: int):
    odd, own = ({"C8": {"severity": number, "days": number}}, {"C8": {}})
    found = []
    for checks in (odd, own):
        company = Company()
        company.add(settings(further={"checks": json.dumps(checks)}))
        company.added("7", JO)
        company.removed("7", at=T0 + HOUR)
        company.added("7", JO, at=T0 + 2 * HOUR)
        company.tick(T0 + 100 * DAY)
        found.append([(each["activity_id"], each["time"], each["severity_id"]) for each in company.findings()])
    assert found[0] == found[1]


def test_what_an_account_did_is_remembered_in_a_bounded_row():
    company = company_with("C6")
    for number in range(3 * REMEMBERED):
        company.add(logged_in("7", at=T0 + number * HOUR))
    row = TenantState(company.table, TENANT).activities.get(APP, "7")
    assert row is not None
    assert len(row.events["login"]) == REMEMBERED
    assert row.events["login"][-1].time == T0 + (3 * REMEMBERED - 1) * HOUR


def test_of_many_events_the_latest_are_remembered_in_whatever_order_they_come():
    forwards, backwards = company_with("C6"), company_with("C6")
    events = [logged_in("7", at=T0 + number * HOUR) for number in range(3 * REMEMBERED)]
    for company, order in ((forwards, events), (backwards, events[::-1])):
        for event in order:
            company.add(event)
    times = [
        [event.time for event in TenantState(company.table, TENANT).activities.get(APP, "7").events["login"]]  # type: ignore[union-attr]
        for company in (forwards, backwards)
    ]
    assert times[0] == times[1] == [T0 + number * HOUR for number in range(2 * REMEMBERED, 3 * REMEMBERED)]


MOVES = [
    admin("admin.added", "7", JO), admin("admin.removed", "7", at=T0 + HOUR), admin("admin.added", "7", JO, at=T0 + 2 * HOUR),
    staff("77", JO, ends=ENDED), did("admin_invite_creation", "1", at=T0 + HOUR, email=JO), did("admin_invite_deletion", "1", at=T0 + DAY, email=JO),
    did("app_webhook_deletion", "8", at=T0 + 6 * DAY), did("admin_impersonation_consent_revoked", "8", at=T0 + 8 * DAY),
]  # fmt: skip
HISTORY = [*EVERYTHING, *MOVES]
ON = {**ALL, "C7": {}, "C16": {"heads": 2}}


@hypothesis_settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(HISTORY), unique_by=lambda fact: fact.id), st.randoms(use_true_random=False))
def test_any_part_of_a_history_in_any_order_gives_the_same_answers(part: list[Fact], chance: Random):
    def answered(order: list[Fact]) -> dict[str, tuple[Any, ...]]:
        company = Company()
        company.policy(everyone())
        company.add(switched_on(**ON))
        for fact in order:
            company.add(fact)
        company.tick(T0 + 12 * DAY)
        return {key: (row["result"], row["reason"], row["since"]) for key, row in company.states().items()}

    shuffled = list(part)
    chance.shuffle(shuffled)
    assert answered(part) == answered(shuffled)
