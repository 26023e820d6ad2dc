"""A staff source's complete files beyond those that are remembered: what rests on one that is forgotten stays, date and all."""

import json

import pytest
from hypothesis import example, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from streams.core.access.processing import snapshot_stages
from streams.core.access.state import staff as records
from streams.core.access.state.history import REMEMBERED
from streams.core.access.state.observation import whole
from streams.core.access.state.tenant import TenantState
from tests.streams.core.access.exempting import Exempting
from tests.support.company import DAY, T0, TENANT, Company, everyone, settings, staff

JO, AL = "jo@acme.example", "al@acme.example"
HERE, GONE, ALONE, ENDS = "in the file", "not in the file", "observed alone", "with an end"


def company_with(absence: str) -> Company:
    company = Company()
    company.policy(everyone())
    company.add(settings(further={"absence": json.dumps({"hr": absence})}, workspaces=("ws1",)))
    company.staff("77", JO)
    company.added("7", JO)
    return company


def with_files(absence: str, days: list[str]) -> Company:
    """Return a company whose HR sends a complete file a day."""
    company = company_with(absence)
    for day, what in enumerate(days, start=1):
        at = T0 + day * DAY
        if what in (HERE, GONE):
            company.snapshot(staff("1", AL, at=at), *([staff("77", JO, at=at)] if what == HERE else []), requested=at)
        else:
            company.staff("77", JO, at=at, ends=T0 + 3 * DAY if what == ENDS else None)
    return company


@pytest.mark.parametrize("absence", ["withdrawn", "ended"])
@pytest.mark.parametrize("days", [[GONE], [GONE, HERE], [GONE, HERE, GONE]], ids=["left", "came back", "left again"])
def test_no_date_moves_and_nothing_is_published_while_files_repeat_what_is_known(absence: str, days: list[str]):
    company, last = with_files(absence, days), days[-1]
    known, findings = company.states(), len(company.findings())
    for day in range(10, 20 + 2 * REMEMBERED):
        at = T0 + day * DAY
        company.snapshot(staff("1", AL, at=at), *([staff("77", JO, at=at)] if last == HERE else []), requested=at)
    assert (company.states(), len(company.findings())) == (known, findings)
    stored = TenantState(company.table, TENANT).records.get("hr", "77")
    assert stored is not None
    row = whole(stored)
    assert max(map(len, (row.sights, row.listed, row.lacked))) <= REMEMBERED + 1


def test_an_exemption_of_an_end_by_absence_outlives_the_file_that_showed_it():
    company = with_files("ended", [GONE])
    company.add(Exempting().granted(expires=None))
    for day in range(20, 25 + REMEMBERED):
        company.snapshot(staff("1", AL, at=T0 + day * DAY), requested=T0 + day * DAY)
    assert company.results()["C2 7"] == "EXEMPT"


def test_an_exemption_that_is_void_stays_void_when_what_voided_it_is_forgotten():
    company = with_files("ended", [GONE])
    company.add(Exempting().granted(expires=None))
    for day in (20, 21, *range(23, 25 + REMEMBERED)):  # back for a day, and gone again
        at = T0 + day * DAY
        company.tick(at)
        company.snapshot(staff("1", AL, at=at), *([staff("77", JO, at=at)] if day == 20 else []), requested=at)
    assert company.results()["C2 7"] == "FAIL"


@trying(max_examples=40)
@given(st.sampled_from(("withdrawn", "ended")), st.lists(st.sampled_from((HERE, GONE, ALONE, ENDS)), max_size=14))
@example("ended", [GONE, HERE, HERE, HERE, GONE, GONE, GONE])
@example("ended", [GONE, ALONE, GONE, GONE, HERE, HERE, HERE])
def test_two_remembered_files_give_the_answers_of_all(absence: str, days: list[str]):
    with pytest.MonkeyPatch.context() as patch:
        all_remembered = with_files(absence, days).states()
        patch.setattr(snapshot_stages, "REMEMBERED", 2)
        patch.setattr(records, "REMEMBERED", 3)
        assert with_files(absence, days).states() == all_remembered
