"""When grants cover an instant without a break, and when the last of them ended."""

from math import inf

import pytest

from streams.core.access.checks.cover import Cover, GrantPeriod, cover, grant_period


@pytest.mark.parametrize(
    ("periods", "expected"),
    [
        ((), Cover()),
        ((GrantPeriod(1, 5),), Cover(ended=5)),
        ((GrantPeriod(1, 11),), Cover(begun=1)),
        ((GrantPeriod(1, inf),), Cover(begun=1)),
        ((GrantPeriod(1, 10),), Cover(ended=10)),
        ((GrantPeriod(1, 5), GrantPeriod(5, 20)), Cover(begun=1)),
        ((GrantPeriod(1, 5), GrantPeriod(6, 20)), Cover(begun=6)),
        ((GrantPeriod(1, 30), GrantPeriod(2, 3), GrantPeriod(4, 5)), Cover(begun=1)),
        ((GrantPeriod(1, 9), GrantPeriod(2, 3)), Cover(ended=9)),
        ((GrantPeriod(1, 15, stopped=True),), Cover(ended=15)),
        ((GrantPeriod(1, 15, stopped=True), GrantPeriod(9, 20)), Cover(begun=1)),
    ],
)
def test_the_cover_of_instant_ten(periods: tuple[GrantPeriod, ...], expected: Cover):
    assert cover(periods, 10) == cover(periods[::-1], 10) == expected


def test_a_fact_stops_a_grant_at_its_own_date_also_where_that_is_ahead():
    assert grant_period(1, 20, [None, 15, 17], 10) == GrantPeriod(1, 15, stopped=True)
    assert grant_period(1, None, [None], 10) == GrantPeriod(1, inf)
    assert not GrantPeriod(1, 15, stopped=True).holds(10)


@pytest.mark.parametrize(("starts", "expires", "stopped"), [(11, None, None), (5, 5, None), (5, 4, None), (5, None, 3)])
def test_a_grant_that_has_not_begun_or_never_begins_covers_nothing(starts: int, expires: int | None, stopped: int | None):
    assert grant_period(starts, expires, [stopped], 10) is None
