"""What docs/access.md says of results, policies, grace and calendars is true."""

import re
import tomllib
from pathlib import Path
from typing import Any

from connectors.calendars.problems import problems
from connectors.policy.file import read
from schemas.tenancy import Tenant
from streams.core.access.checks.policy.validity import VALIDITIES
from streams.core.access.checks.table import CHECKS, WITH_GRACE
from streams.settings.parse import parse
from tests.support.company import DAY, T0, Company, everyone, policy

DOCUMENT = (Path(__file__).parents[4] / "docs" / "access.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
HOUR = DAY // 24


def table(heading: str, number: int = 0) -> list[list[str]]:
    """Return the cells of a section's table, without its heads."""
    section = DOCUMENT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    tables = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in tables[number].splitlines()[2:]]


def block(part: str) -> str:
    (found,) = (text for text in BLOCKS if part in text)
    return found


def test_the_policy_shown_is_one_that_policy_apply_takes_and_its_rules_follow_each_other(tmp_path):
    (tmp_path / "policy.toml").write_text(block("[[rules]]"))
    shown = read(tmp_path / "policy.toml", VALIDITIES, WITH_GRACE)
    first, second = shown.policy.rules
    assert shown.tenant == "acme"
    assert (first.until, set(first.grace)) == (second.starts, {"C1", "C2", "C4"})
    assert second.intercom_roles == {"Support": ("Support Agent", "r-1042"), "Operations": ("*",)}


def test_every_validity_is_in_the_table_with_the_reasons_that_c4_has():
    rows = table("Policies")
    assert {row[0].strip("`") for row in rows} == set(VALIDITIES)
    named = {reason for row in rows for reason in re.findall(r"`(\w+)`", row[-1])}
    assert named == {
        "role_not_valid", "staff_role_unknown", "role_not_allowed", "intercom_role_not_allowed", "role_unknown", "no_approval", "approval_ended",
    }  # fmt: skip
    assert named <= {*CHECKS["C4"].wording, *CHECKS["C4"].unknown_reasons}


def test_the_reasons_for_which_each_check_fails_are_those_of_the_check():
    for check, _, reasons, _ in table("What the checks answer"):
        if found := re.findall(r"`(\w+)`", reasons):
            assert set(found) <= set(CHECKS[check.strip("*").split("*")[0]].wording)


def test_a_finding_in_grace_goes_through_the_steps_shown(tmp_path):
    (tmp_path / "policy.toml").write_text(block("[[rules]]"))
    graces = read(tmp_path / "policy.toml", VALIDITIES, WITH_GRACE).policy.rules[0].grace
    ends = T0 + 19 * DAY + 18 * HOUR
    company = Company()
    company.add(policy(everyone(grace=graces)))
    company.staff("77", "jo@acme.example", ends=ends)
    company.added("7", "jo@acme.example")
    found = [
        (f"{each['time'] // DAY - T0 // DAY + 1} January {each['time'] % DAY // HOUR:02}:00", each["activity_name"],
         each["unmapped"]["result"], each["unmapped"]["sla_state"], each["severity"])
        for each in company.tick(ends + 9 * DAY)
    ]  # fmt: skip
    shown = [(time, event, result, state.split("`")[1], severity) for time, event, result, state, severity in table("Grace")]
    assert found == shown


def test_the_calendars_shown_are_ones_that_the_configuration_takes():
    reported: list[Any] = []
    (tenants,) = (
        parse(each, Tenant, "tenants", lambda *problem: reported.append(problem))
        for each in tomllib.loads(block("[[tenants.calendars]]"))["tenants"]
    )
    assert reported == []
    assert [problem for calendar in tenants.calendars for problem in problems(calendar)] == []
    assert tenants.calendar in [calendar.id for calendar in tenants.calendars]


def test_every_result_is_in_the_table():
    assert [row[0] for row in table("What the checks answer", 1)] == ["PASS", "FAIL", "DUE", "UNKNOWN", "EXEMPT"]
