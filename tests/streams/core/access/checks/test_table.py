"""The table of checks: its order, and rows of a check that only a newer release knows."""

import pytest

from schemas.errors import MustStop
from streams.core.access.checks.table import CHECKS
from streams.core.access.state.rows import CheckRow
from streams.core.access.state.tenant import TenantState
from tests.support.company import APP, T0, TENANT, Company


def test_a_check_stands_behind_those_that_dominate_it():
    order = list(CHECKS)
    assert all(order.index(other) < order.index(check.id) for check in CHECKS.values() for other in check.dominated_by)


def test_the_row_of_a_check_of_a_newer_release_stops_the_process_and_is_no_dead_letter():
    company = Company()
    company.added("7", "jo@acme.example")
    TenantState(company.table, TENANT).checks.put(CheckRow(), APP, "7", "C99", "")
    company.table.commit()
    with pytest.raises(MustStop, match="check C99"):
        company.removed("7", at=T0 + 1000)


def test_the_timer_of_a_check_of_a_newer_release_stops_the_process():
    company = Company()
    company.staff("77", "jo@acme.example")
    TenantState(company.table, TENANT).timers.set("C99", ("somebody",), company.clock + 1, "f1")
    company.table.commit()
    with pytest.raises(MustStop, match="check C99"):
        company.tick(company.clock + 5000)
