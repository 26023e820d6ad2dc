import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvalidRecord
from schemas.intercom.values import floor_to_second, identifier, identifier_or_none, instant, instant_or_none

MOMENT = 1768018294091  # 2026-01-10T04:11:34.091Z


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        (1768018294, MOMENT - 91),
        ("1768018294", MOMENT - 91),
        (1768018294.091, MOMENT),
        ("1768018294.091", MOMENT),
        ("2026-01-10T04:11:34.091+00:00", MOMENT),
        ("2026-01-10T04:11:34.091Z", MOMENT),
        ("2026-01-10T05:11:34.091+01:00", MOMENT),
        ("2026-01-10T04:11:34.091", MOMENT),
        ("2026-01-10T04:11:34Z", MOMENT - 91),
        (MOMENT, MOMENT),
        (str(MOMENT), MOMENT),
    ],
)
def test_every_spelling_of_one_moment_is_the_same_number(spelling, expected):
    assert instant(spelling) == expected


@pytest.mark.parametrize("never", [None, "", 0, "0", 0.0])
def test_never_is_none(never):
    assert instant(never) is None


@pytest.mark.parametrize(
    "junk",
    [
        "soon",
        "2026-13-01T00:00:00Z",
        True,
        [],
        {},
        1e300,
        -1e300,
        math.inf,
        math.nan,
        pytest.param(10**4000, id="huge"),
        "9" * 50,
        "1.2.3",
        "-",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_what_is_no_time_is_refused_and_costs_nothing_where_it_may_be_missing(junk):
    with pytest.raises(InvalidRecord):
        instant(junk)
    assert instant_or_none(junk) is None


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.lists(st.integers())))
def test_nothing_sent_as_a_time_or_an_id_breaks_the_reader(value):
    assert isinstance(instant_or_none(value), int | None)
    assert isinstance(identifier_or_none(value), str | None)


def test_a_second_cut_is_the_second_even_before_1970():
    assert floor_to_second(MOMENT) == MOMENT - 91
    assert floor_to_second(-1) == -1000


@pytest.mark.parametrize(("sent", "expected"), [(7, "7"), ("7", "7"), (7.0, "7"), ("007", "007"), (10**20, "1" + "0" * 20)])
def test_an_id_is_text_whatever_its_type_was(sent, expected):
    assert identifier(sent) == expected


@pytest.mark.parametrize("nobody", [None, "", 0, "0", 0.0])
def test_nobody_is_none(nobody):
    assert identifier(nobody) is None


@pytest.mark.parametrize("junk", [True, False, 1.5, math.nan, math.inf, [], {"id": 1}, pytest.param(10**5000, id="huge")])
def test_what_is_no_id_is_refused(junk):
    with pytest.raises(InvalidRecord):
        identifier(junk)
