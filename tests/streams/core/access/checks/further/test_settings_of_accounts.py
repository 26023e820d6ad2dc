"""Checks about how an account is: two-factor authentication (C10) and its seat (C15)."""

from typing import Any

import pytest

from tests.streams.core.access.checks.further.activities import (
    HOUR,
    company_with,
    did,
    logged_in,
    of,
    with_seat,
)
from tests.support.company import DAY, T0


@pytest.mark.parametrize(
    "metadata", [{"enabled": False}, {"before": True, "after": False}, {"after": {"enabled": False}}, {"after": "false"}]
)
def test_c10_two_factor_authentication_switched_off_fails_until_it_is_on_again(metadata: dict[str, Any]):
    company = company_with("C10")
    assert of("C10", company.add(did("admin_two_factor_auth_change", "7", at=T0 + HOUR, **metadata))) == ["C10 7 opened"]
    assert of("C10", company.tick(T0 + 100 * DAY)) == []
    assert of("C10", company.add(did("admin_two_factor_auth_change", "7", at=T0 + 2 * HOUR, enabled=True))) == [
        "C10 7 closed fixed"
    ]


def test_c10_is_unknown_where_the_entry_does_not_say_which_and_closes_nothing():
    company = company_with("C10")
    company.add(did("admin_two_factor_auth_change", "7", at=T0 + HOUR))
    assert company.results()["C10 7"] == "UNKNOWN"
    company.add(did("admin_two_factor_auth_change", "7", at=T0 + 2 * HOUR, enabled=False))
    company.add(did("admin_two_factor_auth_change", "7", at=T0 + 3 * HOUR))
    row = next(row for row in company.states().values() if row["check"] == "C10")
    assert (row["result"], row["reason"], row["finding"] is not None) == ("UNKNOWN", "metadata_unknown", True)


def test_c15_a_seat_without_a_sign_of_life_fails_after_ninety_days_and_closes_by_one():
    company = company_with("C15")
    company.add(with_seat("8", "al@acme.example", True, at=company.clock))
    assert company.results()["C15 8"] == "UNKNOWN"  # the workspace reports neither logins nor its log
    last = company.clock
    company.add(logged_in("8", at=last))
    assert company.results()["C15 8"] == "PASS"
    (opened,) = [each for each in company.tick(last + 100 * DAY) if each["unmapped"]["check"] == "C15"]
    assert opened["time"] == last + 90 * DAY
    assert of("C15", company.add(logged_in("8", at=company.clock))) == ["C15 8 closed fixed"]


def test_c15_asks_for_a_seat():
    company = company_with("C15", days=30)
    company.add(with_seat("8", "al@acme.example", False))
    company.add(logged_in("7"))
    assert company.results()["C15 7"] == "UNKNOWN"  # no payload says whether it has one
    assert "C15 8" not in company.results()
