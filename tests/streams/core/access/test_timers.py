"""Timers: each fires as of its own instant, and before the first fact that is later than it."""

from schemas.access.facts import AccessSettings, Fact
from streams.core.access.state.tenant import TenantState
from tests.support.company import DAY, T0, TENANT, Company, story

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
