"""Ends, silence, deadlines and exemptions of one instant, and ends that move."""

import msgspec

from schemas.access.facts import LocalTime
from tests.streams.core.access.coincidences.histories import (
    AL,
    HOUR,
    JO,
    LATE,
    MINUTE,
    S,
    answer,
    asserted,
    company_of,
    events,
    findings,
    leaver,
)
from tests.streams.core.access.deadlines import grace
from tests.streams.core.access.exempting import Exempting, outcome
from tests.support.company import DAY, SECOND, T0, everyone, staff


def test_an_end_that_moves_within_the_past_is_one_finding_and_one_to_come_voids_it_until_then():
    company = leaver()
    for day in (7, 2):
        found = company.add(asserted(S + (8 - day) * MINUTE, ends=T0 + day * DAY))
        assert [each[::2] for each in events(found, "C2")] == [(2, "FAIL")]
        assert answer(company, "C2") == ("FAIL", "employment_ended", T0 + day * DAY)
    assert len(findings(company, "C2")) == 1
    found = company.add(asserted(S + HOUR, ends=LATE))
    assert ([each[::2] for each in events(found, "C2")], company.results()["C2 7"]) == ([(3, "voided")], "PASS")
    assert events(company.tick(LATE - 1), "C2") == []
    assert events(company.tick(LATE), "C2") == [(1, LATE, "FAIL")]


def test_active_takes_no_end_back_that_is_still_ahead():
    company = company_of()
    company.staff("77", JO, ends=LATE)
    company.added("7", JO)
    company.add(asserted(S, status="active"))
    assert events(company.tick(LATE), "C2") == [(1, LATE, "FAIL")]


def test_an_exemption_outlives_silence_and_its_end_amid_silence_is_unknown_and_open():
    company = company_of(source="hr")
    now = company.clock
    company.staff("77", JO, at=now, ends=T0 + 2 * DAY)
    company.added("7", JO)
    company.add(Exempting().granted(expires=now + 5 * HOUR))
    assert events(company.tick(now + 4 * HOUR), "C2") == [(2, now + 3 * HOUR, "EXEMPT")]
    assert events(company.tick(now + 5 * HOUR), "C2") == [(2, now + 5 * HOUR, "UNKNOWN")]
    company.staff("88", AL, at=company.clock)
    assert (company.results()["C2 7"], len(findings(company, "C2"))) == ("FAIL", 1)


def test_an_end_and_silence_of_one_instant_open_as_unknown_and_an_end_taken_back_amid_silence_closes():
    company = company_of(source="hr")
    now = company.clock
    company.staff("77", JO, at=now, ends=now + 3 * HOUR)
    company.added("7", JO)
    assert events(company.tick(now + 4 * HOUR), "C2") == [(1, now + 3 * HOUR, "UNKNOWN")]
    found = company.add(asserted(company.clock))
    assert [each[::2] for each in events(found, "C2")] == [(3, "not_applicable")]


def test_an_exemption_has_ended_at_its_last_instant_and_begins_with_its_decision():
    company = leaver()
    company.add(Exempting().granted(expires=company.clock + SECOND))
    assert (outcome(company), company.results()["C2 7"]) == ("void", "FAIL")
    end = company.clock + SECOND + 1
    found = company.add(Exempting(id="x2").granted(starts=T0 + 6 * DAY, expires=end))
    assert events(found, "C2") == [(2, end - 1, "EXEMPT")]
    assert events(company.tick(end), "C2") == [(2, end, "FAIL")]


def test_where_the_deadline_and_the_exemption_end_together_nothing_is_due_any_more():
    company = company_of(everyone(grace=grace(C2="24 hours")))
    company.staff("77", JO, ends=LATE)
    company.added("7", JO)
    company.tick(LATE)
    company.add(Exempting().granted(expires=LATE + DAY))
    found = events(company.tick(LATE + 2 * DAY), "C2")
    assert {each[1] for each in found} == {LATE + 18 * HOUR, LATE + DAY}
    assert (found[-1], "DUE" in {each[2] for each in found}) == ((2, LATE + DAY, "FAIL"), False)


def test_an_exemption_that_ends_as_the_condition_begins_covers_nothing():
    company = company_of()
    company.staff("77", JO, ends=LATE)
    company.added("7", JO)
    company.add(Exempting().granted(expires=LATE))
    assert events(company.tick(LATE), "C2") == [(1, LATE, "FAIL")]


def test_an_exemption_of_an_end_is_void_for_good_once_the_end_was_taken_back_though_it_comes_back_as_it_was():
    company = leaver()
    company.add(Exempting().granted())
    at = company.clock
    company.add(asserted(at + SECOND))
    company.add(asserted(at + 2 * SECOND, ends=T0 + 5 * DAY))
    assert company.results()["C2 7"] == "FAIL"


def test_a_local_end_is_cited_as_its_source_gave_it():
    company = company_of()
    fact = staff("77", JO)
    assert fact.record is not None
    given = LocalTime(given="2026-01-08", zone="Pacific/Pago_Pago", rule="end_of_day", instant=T0 + 8 * DAY + 11 * HOUR)
    company.add(msgspec.structs.replace(fact, record=msgspec.structs.replace(fact.record, ends=given)))
    (found,) = company.added("7", JO)
    cited = next(each["data"]["cites"] for each in found["evidences"] if "cites" in each["data"])
    assert (found["time"], cited["ends_given"], cited["ends_zone"]) == (given.instant, given.given, given.zone)
