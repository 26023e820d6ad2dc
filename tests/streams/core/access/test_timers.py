"""Timers: each fires as of its own instant, and before the first fact that is later than it."""

import pytest

from schemas.access.facts import AccessSettings, Fact
from streams.core.access.state.tenant import TenantState
from tests.streams.core.access.test_withdrawn_records import status
from tests.support.company import DAY, SECOND, T0, TENANT, Company, settings, story

JO, AL = "jo@acme.example", "al@acme.example"


def absence_is_an_end() -> Fact:
    settings = AccessSettings(workspaces=(), further={"absence": '{"hr":"ended"}'}, hash="h")
    return Fact(id="s", tenant=TENANT, kind="settings.applied", source="operator", basis="decided", settings=settings)


def test_a_timer_that_a_timer_armed_fires_before_the_fact_that_is_later_than_both():
    company = Company()
    company.add(absence_is_an_end())
    ends, absent = company.clock + DAY, company.clock + 2 * DAY
    company.staff("77", JO, ends=ends)
    company.added("7", JO)
    company.snapshot(requested=absent)  # of a source whose clock is ahead: its absence counts from then on
    found = company.tick(absent + DAY)
    assert story(found) == ["C2 7 opened", "C1 7 closed fixed", "C2 7 updated"]
    assert [each["finding_info"]["modified_time"] for each in found] == [ends, absent, absent]
    assert company.results()["C2 7"] == "FAIL"


def test_timers_fire_in_the_order_of_their_instants_whichever_armed_them():
    company = Company()
    company.add(absence_is_an_end())
    first, second, third = (company.clock + days * DAY for days in (1, 2, 3))
    company.staff("77", JO, ends=first)
    company.added("7", JO)
    company.snapshot(requested=second)
    company.staff("78", AL, source="idp", ends=third)
    company.added("8", AL)
    found = company.tick(third + DAY)
    assert [each["finding_info"]["modified_time"] for each in found] == [first, second, second, third]


def test_a_timer_armed_after_none_was_found_is_found():
    timers = TenantState(Company().table, TENANT).timers
    assert list(timers.due(T0)) == []
    timers.set("C2", ("hr", "77"), T0)
    assert [at for at, _ in timers.due(T0)] == [T0]
    timers.set("C2", ("hr", "77"), T0 + DAY)
    timers.set("C2", ("hr", "78"), T0 + 2 * DAY)
    assert [at for at, _ in timers.due(T0)] == []
    timers.set("C2", ("hr", "77"), None)
    assert [at for at, _ in timers.due(T0 + DAY)] == []
    assert [at for at, _ in timers.due(T0 + 2 * DAY)] == [T0 + 2 * DAY]


@pytest.mark.parametrize("withdrawn", ["by a listing", "by its status", "by its status before the end was known"])
def test_an_end_still_ahead_opens_c2_at_its_instant_once_the_settings_no_longer_take_absence_for_an_earlier_one(withdrawn):
    company = Company()
    company.add(absence_is_an_end())
    ends = company.clock + DAY
    if withdrawn == "by its status before the end was known":
        company.add(status("withdrawn", at=T0 - DAY))
    company.staff("77", JO, ends=ends)
    company.added("7", JO)
    if withdrawn == "by a listing":
        company.snapshot(requested=T0 + DAY)
    elif withdrawn == "by its status":
        company.add(status("withdrawn", at=T0 + DAY))
    assert company.results()["C2 7"] == "FAIL"
    assert story(company.add(settings("s")))[-1] == "C2 7 closed voided"
    (opened,) = company.tick(ends + SECOND)
    assert (opened["unmapped"]["reason"], opened["time"], opened["start_time"]) == ("staff_withdrawn", ends, ends)
    assert company.results()["C2 7"] == "UNKNOWN"
