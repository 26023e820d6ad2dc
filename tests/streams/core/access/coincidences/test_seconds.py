"""Facts of one second that contradict each other, in either order: no leaver is hidden, and nothing is settled too early."""

import pytest

from schemas.access.facts import Fact
from tests.streams.core.access.coincidences.histories import (
    AL,
    JO,
    S,
    answer,
    asserted,
    company_of,
    events,
    findings,
    held_open,
    leaver,
)
from tests.support.company import DAY, SECOND, T0, admin

ORDERS = pytest.mark.parametrize("order", [1, -1], ids=["in order", "the other way round"])


@ORDERS
@pytest.mark.parametrize("listed", [True, False])
def test_a_contradiction_leaves_an_open_finding_open_until_a_list_two_minutes_later_settles_it(order: int, listed: bool):
    company = leaver()
    for fact in (admin("admin.removed", "7", at=S + 100), admin("admin.added", "7", JO, at=S + 900))[::order]:
        company.add(fact)
    assert answer(company, "C2")[:2] == ("UNKNOWN", "presence_unsettled")
    assert held_open(company, "C2")
    found = company.teammates(*([admin("admin.seen", "7", JO)] if listed else []), requested=S + 121 * SECOND)
    assert [each[::2] for each in events(found, "C2")] == [(2, "FAIL") if listed else (3, "fixed")]
    assert len(findings(company, "C2")) == 1


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("listed", [True, False])
def test_a_list_requested_between_two_events_that_contradict_each_other_settles_nothing(place: int, listed: bool):
    company = company_of()
    company.staff("77", JO)
    pair = [admin("admin.added", "7", JO, at=S + 100), admin("admin.removed", "7", at=S + 900)]
    for number in range(3):
        if number == place:
            company.teammates(*([admin("admin.seen", "7", JO)] if listed else []), requested=S + 500)
        if number < len(pair):
            company.add(pair[number])
    assert answer(company, "C1")[:2] == ("UNKNOWN", "presence_unsettled")
    assert not held_open(company, "C1")


@ORDERS
def test_removed_and_added_in_the_next_second_are_two_episodes_with_their_own_times(order: int):
    company = leaver()
    for fact in (admin("admin.removed", "7", at=S + 900), admin("admin.added", "7", JO, at=S + 1100))[::order]:
        company.add(fact)
    assert answer(company, "C2") == ("FAIL", "employment_ended", S + 1100)
    assert len(findings(company, "C2")) == 2
    assert [each for each in events(company.findings(), "C2") if each[0] == 3] == [(3, S + 900, "fixed")]


@ORDERS
@pytest.mark.parametrize(
    ("pair", "since"),
    [
        ((asserted(T0 + 5 * DAY, status="ended"), asserted(T0 + 5 * DAY, status="active")), T0 + 5 * DAY),
        ((asserted(T0 + 5 * DAY, ends=T0 + 8 * DAY), asserted(T0 + 5 * DAY, ends=T0 + 6 * DAY)), T0 + 6 * DAY),
    ],
)
def test_of_two_assertions_of_one_instant_the_one_counts_that_hides_no_leaver(order: int, pair: tuple[Fact, ...], since: int):
    company = company_of()
    company.staff("77", JO)
    company.added("7", JO)
    for fact in pair[::order]:
        company.add(fact)
    assert answer(company, "C2") == ("FAIL", "employment_ended", since)


@ORDERS
def test_of_two_addresses_of_one_second_neither_hides_the_leaver(order: int):
    company = company_of()
    company.staff("77", JO, ends=T0 + 2 * DAY)
    company.staff("88", AL)
    company.added("7")
    for fact in (admin("admin.seen", "7", JO, at=S + 100), admin("admin.seen", "7", AL, at=S + 900))[::order]:
        company.add(fact)
    assert (answer(company, "C1")[:2], answer(company, "C2")[0]) == (("FAIL", "ambiguous"), "UNKNOWN")
    assert held_open(company, "C2")
