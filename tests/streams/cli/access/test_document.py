"""What docs/access.md says of further checks, coverage and the test of the alarm is true."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from schemas.tenancy import FurtherCheck, Tenancy, Tenant, Workspace
from streams.core.access.checks.further.activities import CHANGES
from streams.core.access.checks.table import CHECKS
from streams.core.access.facts.from_intercom import _BEARING, _KINDS, _LOGGED
from streams.core.access.facts.settings import settings_fact
from streams.settings.parse import parse
from tests.streams.core.access.checks.further.activities import ENDED, HOUR, JO, did, logged_in
from tests.support.company import APP, T0, Company, everyone

DOCUMENT = (Path(__file__).parents[4] / "docs" / "access.md").read_text(encoding="utf-8")
FURTHER = {check.id: check for check in CHECKS.values() if check.further}
ROWS = dict(re.findall(r"^\| \*\*(C\d+)\*\* (\w.*)$", DOCUMENT, re.MULTILINE))
OPENED_BY = {check: re.findall(r"`([a-z_.]+)`", row.split(" | ")[2]) for check, row in ROWS.items() if check in FURTHER}


def configured() -> dict[str, FurtherCheck]:
    """Return the checks as the document's configuration switches them on."""
    (block,) = (
        text for text in re.findall(r"^```toml\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL) if "[tenants.checks]" in text
    )
    problems: list[Any] = []
    tenant = parse(
        {"id": "acme", **tomllib.loads(block)["tenants"]}, Tenant, "", lambda path, text: problems.append((path, text))
    )
    assert problems == []
    return dict(tenant.checks)


def test_every_further_check_is_in_the_table_and_in_the_example_and_no_other():
    assert set(FURTHER) == set(OPENED_BY) == set(configured())


@pytest.mark.parametrize("check", FURTHER)
def test_every_post_and_entry_that_the_table_names_is_one_that_the_agent_reads(check: str):
    known = {*_KINDS, *_LOGGED, *_BEARING}
    assert {name for name in OPENED_BY[check] if name not in known} == set()


ENTRIES = [(check, type_) for check, types in OPENED_BY.items() for type_ in types if type_ in _BEARING and check != "C16"]


@pytest.mark.parametrize(("check", "type_"), ENTRIES)
def test_each_entry_that_the_table_names_opens_its_check_as_the_example_has_it(check: str, type_: str):
    tenant = Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support"),), checks={check: configured()[check]})
    switched_on = settings_fact(Tenancy.of((), (tenant,)), "acme", (), now=T0)
    assert switched_on is not None
    company = Company()
    company.policy(everyone())
    company.add(switched_on)
    company.staff("77", JO, ends=ENDED)
    company.added("7", JO)
    company.add(logged_in("7", at=T0))
    company.add(did(type_, "7", at=ENDED + HOUR, enabled=False, email="mallory@elsewhere.example"))
    assert {line.split()[0]: result for line, result in company.results().items()}[check] == "FAIL"


def test_c16_counts_the_changes_that_its_row_names():
    assert set(OPENED_BY["C16"]) & _BEARING <= set(CHANGES)


def test_the_days_and_heads_that_hold_without_a_line_are_those_of_the_document():
    assert "(90)" in ROWS["C15"]
    assert "(10)" in ROWS["C16"]
    assert "for `days` (30) after the latest event" in DOCUMENT
