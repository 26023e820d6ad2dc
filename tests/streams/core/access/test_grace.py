"""Grace: a failure within the time that the policy allows is DUE, and its deadline is met to the instant, whatever else is known."""

import json
from typing import Any

import pytest

from schemas.access.facts import Calendar, UtcOffset
from schemas.errors import InvalidRecord
from streams.core.access.checks.policy.working_days import DAY
from tests.streams.core.access.deadlines import calendar_set, grace
from tests.support.company import APP, SECOND, T0, Company, decision, everyone, roles, settings, story

JO = "jo@acme.example"
HOUR = 3600 * SECOND
END = T0 + 12 * DAY  # Tuesday 13 January 2026, 00:00: the end of Monday, in UTC


def steps(findings: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return of each event its activity, time, result and the state of its deadline."""
    return [
        (each["activity_id"], each["time"], each["unmapped"].get("result"), each["unmapped"].get("sla_state"))
        for each in findings
    ]


def leaver(grace_of_c2: str = "24 hours", **how: Any) -> Company:
    """Return a company in which Jo, who has an account, leaves at END."""
    company = Company()
    company.policy(everyone(grace=grace(C2=grace_of_c2)))
    company.staff("77", JO, ends=END, **how)
    company.added("7", JO)
    return company


def test_a_finding_within_grace_is_due_then_critical_then_failing_each_at_its_instant():
    company = leaver()
    found = company.tick(END + 2 * DAY)
    assert steps(found) == [
        (1, END, "DUE", "due"),
        (2, END + 18 * HOUR, "DUE", "critical"),
        (2, END + 24 * HOUR, "FAIL", "failing"),
    ]
    assert [each["severity_id"] for each in found] == [2, 2, 4]
    assert [each["compliance"]["status_id"] for each in found] == [2, 2, 3]
    assert {each["unmapped"]["due_time"] for each in found} == {END + DAY}
    assert {each["unmapped"]["reason"] for each in found} == {"employment_ended"}
    assert [each["finding_info"]["modified_time"] for each in found] == [END, END + 18 * HOUR, END + DAY]
    assert len({each["metadata"]["uid"] for each in found}) == 3


def test_the_row_has_the_deadline_and_its_state():
    company = leaver()
    company.tick(END + 20 * HOUR)
    row = next(row for row in company.states().values() if row["check"] == "C2")
    assert (row["result"], row["due_time"], row["sla_state"]) == ("DUE", END + DAY, "critical")
    company.removed("7", at=END + 20 * HOUR)
    company.tick(END + 5 * DAY)
    assert [finding["unmapped"]["check"] for finding in company.findings()].count("C2") == 3  # opened, critical, closed


def test_without_an_entry_for_the_check_there_is_no_grace():
    company = Company()
    company.policy(everyone(grace=grace(C1="24 hours")))
    company.staff("77", JO, ends=T0 + DAY)
    found = company.added("7", JO, at=T0)
    assert steps(found)[-1] == (1, T0 + DAY, "FAIL", None)
    assert "due_time" not in found[-1]["unmapped"]


def test_a_finding_opened_after_its_deadline_fails_from_its_create_on():
    company = Company()
    company.policy(everyone(grace=grace(C2="24 hours")))
    company.staff("77", JO, ends=T0)
    found = company.added("7", JO, at=T0 + DAY)
    assert steps(found)[-1] == (1, T0 + DAY, "FAIL", "failing")
    assert found[-1]["unmapped"]["due_time"] == T0 + 2 * DAY
    assert company.tick(T0 + 30 * DAY) == []


def test_a_finding_opened_in_the_last_quarter_is_critical_from_its_create_on():
    company = Company()
    company.policy(everyone(grace=grace(C2="4 days")))
    began = company.clock - 3 * DAY - HOUR
    company.staff("77", JO, ends=T0)
    found = company.added("7", JO, at=began)
    assert steps(found)[-1] == (1, began, "DUE", "critical")
    assert steps(company.tick(T0 + 30 * DAY)) == [(2, began + 4 * DAY, "FAIL", "failing")]


def test_a_changed_policy_moves_no_deadline_that_is_fixed_and_counts_for_later_findings():
    company = leaver()
    company.tick(END + HOUR)
    company.policy(everyone(grace=grace(C2="72 hours")))
    assert steps(company.tick(END + 2 * DAY)) == [
        (2, END + 18 * HOUR, "DUE", "critical"), (2, END + DAY, "FAIL", "failing"),
    ]  # fmt: skip
    company.staff("78", "al@acme.example", ends=END + 3 * DAY)
    company.added("8", "al@acme.example")
    found = company.tick(END + 3 * DAY)
    assert found[-1]["unmapped"]["due_time"] == END + 6 * DAY
    grace_of = [
        {each["name"]: each["value"] for each in finding["compliance"]["control_parameters"]} for finding in company.findings()
    ]
    assert [each["grace"] for each in grace_of if "grace" in each] == ["24 hours"] * 3 + ["72 hours"]
    assert len({each["grace_policy"] for each in grace_of if "grace" in each}) == 2


def test_corrected_dates_move_no_deadline():
    company = leaver()
    company.tick(END + HOUR)
    found = company.staff("77", JO, at=T0 + DAY, ends=END - HOUR)
    assert [each["unmapped"]["due_time"] for each in found] == [END + DAY]
    assert steps(company.tick(END + 2 * DAY))[-1] == (2, END + DAY, "FAIL", "failing")


def test_a_finding_that_reopens_within_ten_minutes_keeps_its_deadline_and_a_later_one_has_its_own():
    company = leaver()
    company.tick(END + HOUR)
    assert story(company.staff("77", JO, at=T0 + DAY)) == ["C2 7 closed not_applicable"]
    found = company.staff("77", JO, at=T0 + 2 * DAY, ends=END + 30 * 60 * SECOND)
    assert (story(found), found[-1]["unmapped"]["due_time"]) == (["C2 7 updated"], END + DAY)
    company.staff("77", JO, at=T0 + 3 * DAY)
    assert company.tick(END + 3 * DAY) == []
    found = company.staff("77", JO, at=T0 + 4 * DAY, ends=END + 30 * 60 * SECOND)
    assert (story(found), found[-1]["unmapped"]["due_time"]) == (["C2 7 opened"], END + DAY + 30 * 60 * SECOND)


def test_loss_of_data_stops_no_deadline():
    company = Company()
    freshness = {"freshness": json.dumps({"hr": {"kind": "interval", "interval": HOUR}})}
    company.add(settings(further=freshness))
    company.policy(everyone(grace=grace(C2="24 hours")))
    company.staff("77", JO, at=END - HOUR, ends=END)
    company.added("7", JO)
    found = company.tick(END + 2 * DAY)
    assert steps(each for each in found if each["unmapped"]["check"] == "C2") == [
        (1, END, "DUE", "due"),
        (2, END + 2 * HOUR, "UNKNOWN", "due"),
        (2, END + 18 * HOUR, "UNKNOWN", "critical"),
        (2, END + DAY, "UNKNOWN", "failing"),
    ]
    assert {each["severity_id"] for each in found if each["unmapped"]["result"] == "UNKNOWN"} == {1}
    found = company.staff("77", JO, at=END + 2 * DAY, ends=END)
    assert steps(each for each in found if each["unmapped"]["check"] == "C2")[-1][2:] == ("FAIL", "failing")
    assert next(row for row in company.states().values() if row["check"] == "C2")["since"] == END + DAY


def test_a_presence_that_had_ended_before_it_was_reported_was_due_if_it_ended_within_grace():
    company = leaver()
    company.tick(END + 5 * DAY)
    company.removed("8", at=END + HOUR)
    company.staff("78", "al@acme.example", ends=END)
    found = company.added("8", "al@acme.example", at=T0)
    assert [step for step, finding in zip(steps(found), found, strict=True) if finding["unmapped"]["check"] == "C2"] == [
        (1, END, "DUE", "due"), (3, END + HOUR, "PASS", "due"),
    ]  # fmt: skip


BERLIN = Calendar(
    id="de", zone="Europe/Berlin", weekend=(6, 7), made_by="test", valid_until="2026-12-31", holidays=("2026-01-14",),
    offsets=(UtcOffset(starts=0, seconds=3600),),
)  # fmt: skip
GULF = Calendar(
    id="ae", zone="Asia/Dubai", weekend=(2, 3), made_by="test", valid_until="2026-01-14",
    offsets=(UtcOffset(starts=0, seconds=4 * 3600),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("places", "default", "due", "named"),
    [
        ({}, None, END + DAY, "UTC"),
        ({}, "de", END + 3 * DAY - HOUR, "de"),  # locally 01:00 on Tuesday, and Wednesday is a holiday
        ({}, "unknown", END + DAY, "UTC"),
        ({"zone": "Europe/Berlin"}, "ae", END + 3 * DAY - HOUR, "de"),
        ({"calendar": "de"}, "ae", END + 3 * DAY - HOUR, "de"),
        ({"calendar": "de", "zone": "Asia/Dubai"}, None, END + 3 * DAY - HOUR, "de"),
        ({"calendar": "gone", "zone": "Asia/Dubai"}, None, END + 3 * DAY - 4 * HOUR, "ae"),  # 04:00 on Tuesday: Thursday
    ],
)
def test_business_days_are_those_of_the_persons_calendar(places: dict[str, str], default: str | None, due: int, named: str):
    company = Company()
    company.add(calendar_set(GULF))
    company.add(calendar_set(BERLIN))
    if default:
        company.add(settings(further={"calendar": default}))
    company.policy(everyone(grace=grace(C2="1 business_days")))
    company.staff("77", JO, ends=END, **places)
    company.added("7", JO)
    found = company.tick(END + HOUR)[-1]
    assert found["unmapped"]["due_time"] == due
    parameters = {each["name"]: each["value"] for each in found["compliance"]["control_parameters"]}
    assert (parameters["grace"], parameters["calendar"]) == ("1 business days", named)
    assert ("calendar_ended" in parameters) == (named == "ae")


@pytest.mark.parametrize("place", [{"calendar": "de"}, {"zone": "Europe/Berlin"}])
def test_a_calendar_that_left_the_configuration_counts_for_nobody(place: dict[str, str]):
    company = Company()
    company.add(calendar_set(BERLIN))
    company.add(settings(further={"removed_calendars": '["de"]'}))
    company.policy(everyone(grace=grace(C2="1 business_days")))
    company.staff("77", JO, ends=END, **place)
    company.added("7", JO)
    assert company.tick(END + HOUR)[-1]["unmapped"]["due_time"] == END + DAY  # in UTC


def test_an_account_without_owner_has_the_default_calendar():
    company = Company()
    company.add(calendar_set(BERLIN))
    company.add(settings(further={"calendar": "de"}))
    company.policy(everyone(grace=grace(C1="2 business_days")))
    found = company.added("7", JO, at=END - 2 * HOUR)
    assert found[-1]["unmapped"]["due_time"] == END + 3 * DAY - HOUR  # Monday 23:00 there: Tuesday and Thursday


def test_a_calendar_that_is_set_later_moves_no_deadline():
    company = leaver("1 business_days", zone="Europe/Berlin")
    found = company.tick(END + HOUR)
    company.add(calendar_set(BERLIN))
    assert company.tick(END + 2 * HOUR) == []
    assert found[-1]["unmapped"]["due_time"] == END + DAY


def test_a_calendar_that_means_nothing_is_refused_and_a_grace_that_does_is_none():
    company = Company()
    with pytest.raises(InvalidRecord, match="leave one to work"):
        company.add(calendar_set(Calendar(id="x", made_by="t", valid_until="2026-12-31", weekend=(1, 2, 3, 4, 5, 6, 7))))
    company.policy(everyone(grace=grace(C1="3 weeks", C2="0 hours")))
    assert "due_time" not in company.added("7", JO)[-1]["unmapped"]


def test_a_rule_that_starts_or_ends_is_applied_at_its_instant():
    company = Company()
    starts, ends = company.clock + DAY, company.clock + 2 * DAY
    company.staff("77", JO, roles=("Sales",))
    company.added("7", JO)
    company.policy(everyone(until=starts), roles("Support", starts=starts, until=ends))
    assert company.results() | {"C3 ws1": "PASS", "C4 7": "PASS"} == company.results()
    found = company.tick(starts)
    assert [(story([each])[0], each["time"]) for each in found] == [("C4 7 opened", starts)]
    found = company.tick(ends + DAY)
    assert [(story([each])[0], each["time"]) for each in found] == [("C3 ws1 opened", ends), ("C4 7 closed superseded", ends)]
    assert found[0]["unmapped"]["reason"] == "policy_ended"
    assert company.results()["C4 7"] == "UNKNOWN"


def test_the_grace_of_the_rule_in_force_when_the_finding_is_created_counts():
    company = Company()
    change = company.clock + DAY
    company.policy(everyone(grace=grace(C1="1 days")), everyone(starts=change, grace=grace(C1="2 days")))
    first = company.added("7", JO, at=company.clock)[-1]
    company.tick(change)
    second = company.added("8", "al@acme.example", at=change)[-1]
    assert [each["unmapped"]["due_time"] - each["time"] for each in (first, second)] == [DAY, 2 * DAY]


def test_a_policy_that_changes_grace_alone_changes_no_date_of_an_answer():
    company = Company()
    company.staff("77", JO, roles=("Sales",))
    company.added("7", JO)
    company.policy(roles("Support"))
    before = {key: row["since"] for key, row in company.states().items()}
    assert company.policy(roles("Support", grace=grace(C4="1 days"))) != []  # the finding names the new policy
    assert {key: row["since"] for key, row in company.states().items()} == before


def test_an_unlinked_account_of_a_workspace_without_policy_has_no_deadline():
    company = Company()
    company.policy(everyone("ws2", grace=grace(C1="1 days")))
    found = company.added("7", JO)
    assert [each["unmapped"].get("sla_state") for each in found] == [None, None]
    assert company.add(decision("account.linked", "7", staff="nobody"))[-1]["unmapped"].get("due_time") is None
    assert APP in {row["app_id"] for row in company.states().values()}
