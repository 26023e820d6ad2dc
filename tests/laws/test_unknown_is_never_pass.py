"""Law 6: what is not known is never shown as PASS, and what was never looked at has no row."""

import pytest

from schemas.access.facts import Rule
from schemas.access.findings import CheckState
from streams.core.access.checks.policy.validity import VALIDITIES, Asked, verdict
from streams.core.access.checks.table import CHECKS
from tests.streams.core.access.checks.further.activities import switched_on
from tests.support.company import APP, T0, Company, admin, everyone

JO = "jo@acme.example"


def c4_of(company: Company) -> dict[str, object]:
    return next(row for row in company.states().values() if row["check"] == "C4")


def test_an_account_nobody_told_of_has_no_row():
    company = Company()
    company.staff("77", JO)
    company.policy(everyone())
    assert company.states() == {}


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (None, "no_policy"),
        (Rule(app_id=APP, validity="staff_roles", roles=("Support",)), "staff_role_unknown"),
        (Rule(app_id=APP, validity="of a later release"), "validity_unknown"),
    ],
)
def test_c4_without_what_it_needs_is_unknown_and_says_why(rule: Rule | None, reason: str):
    company = Company()
    company.staff("77", JO)
    company.added("7", JO)
    if rule is not None:
        company.policy(rule)
    assert (c4_of(company)["result"], c4_of(company)["reason"]) == ("UNKNOWN", reason)


def test_c4_of_an_account_nobody_identified_is_unknown():
    company = Company()
    company.policy(everyone())
    company.added("7", JO)
    assert (c4_of(company)["result"], c4_of(company)["reason"]) == ("UNKNOWN", "account_not_identified")


def test_a_contradiction_leaves_no_pass_behind():
    company = Company()
    company.staff("77", JO)
    company.policy(everyone())
    company.added("7", JO, at=T0)
    assert "PASS" in {row["result"] for row in company.states().values() if row["account"] == "7"}
    company.add(admin("admin.removed", "7", at=T0))
    assert {row["result"] for row in company.states().values() if row["account"] == "7"} == {"UNKNOWN"}


def test_a_removed_teammate_has_no_row_at_all():
    company = Company()
    company.staff("77", JO)
    company.added("7", JO)
    company.removed("7", at=T0 + 1000)
    assert [row for row in company.states().values() if row["account"]] == []


@pytest.mark.parametrize("validity", VALIDITIES)
def test_no_validity_but_all_staff_passes_somebody_of_whom_nothing_is_known(validity: str):
    rule = Rule(app_id=APP, validity=validity, roles=("Support",), intercom_roles={"Support": ("*",)})
    assert (verdict(rule, Asked()).valid is True) == (validity == "all_staff")


def test_a_state_row_has_no_default_result():
    with pytest.raises(TypeError, match="result"):
        CheckState(tenant="t", check="C1", app_id="a", reason="r", since=0, rule_version="1")  # type: ignore[call-arg]


def test_what_was_never_read_completely_is_not_covered():
    company = Company()
    company.staff("77", JO)
    company.added("7", JO)
    assert {name: row["result"] for name, row in company.coverage().items()} == {"hr": "UNKNOWN", APP: "UNKNOWN"}


def test_further_checks_without_what_they_need_are_unknown_and_none_of_them_passes():
    company = Company()
    company.policy(everyone())
    checks = {check.id: {} for check in CHECKS.values() if check.further}
    company.add(switched_on(**checks))
    company.staff("77", JO, ends=T0)
    company.added("7", JO)
    found = {row["check"]: row["result"] for row in company.states().values() if row["check"] in checks}
    assert found == {"C6": "UNKNOWN", "C12": "UNKNOWN", "C15": "UNKNOWN"}
