"""A finding says whether it rests on an event of Intercom's, or follows from a list of teammates alone."""

import json
from typing import Any

import msgspec
import pytest

from schemas.access.facts import DesiredRole, Fact, Rule
from schemas.tenancy import Tenancy, Tenant, Workspace
from streams.core.access.facts.settings import settings_fact
from streams.core.access.state.tenant import TenantState
from tests.support.company import APP, DAY, T0, TENANT, Company, admin, decision, everyone

JO, LEE = "jo@acme.example", "lee@acme.example"
ROLES = Rule(app_id=APP, validity="intercom_roles", intercom_roles={"Support": ("Agent",)})


def seen(account: str, address: str, **how: Any) -> Fact:
    return admin("admin.seen", account, address, **how)


def configured(company: Company, **changed: Any) -> list[dict[str, Any]]:
    tenant = Tenant(id=TENANT, workspaces=(Workspace(app_id=APP, app="support"),))
    fact = settings_fact(Tenancy.of((), (tenant,)), TENANT, (), now=T0)
    assert fact is not None
    assert fact.settings is not None
    return company.add(msgspec.structs.replace(fact, settings=msgspec.structs.replace(fact.settings, **changed)))


def inferred(findings: list[dict[str, Any]], check: str) -> list[tuple[int, bool]]:
    return [(each["activity_id"], each["unmapped"]["inferred"]) for each in findings if each["unmapped"]["check"] == check]


@pytest.fixture
def company() -> Company:
    company = Company()
    configured(company)
    return company


def test_a_teammate_who_was_added_before_we_were_connected_is_known_from_a_list(company: Company) -> None:
    found = company.teammates(seen("7", JO), requested=T0 + DAY)
    assert inferred(found, "C1") == [(1, True)]
    assert "admins.snapshot.ended" in json.dumps(found[-1]["evidences"])
    assert inferred(company.added("8", LEE, at=T0 + 2 * DAY), "C1") == [(1, False)]


def test_a_teammate_who_was_removed_while_we_were_down_is_known_from_a_list(company: Company) -> None:
    company.added("7", JO)
    company.added("8", LEE)
    company.added("9", "kim@acme.example")
    found = company.teammates(seen("8", LEE), seen("9", "kim@acme.example"), requested=T0 + DAY)
    assert inferred(found, "C1") == [(3, True)]
    assert inferred(company.removed("8", at=T0 + 2 * DAY), "C1") == [(3, False)]


def test_a_role_that_changed_without_a_webhook_is_known_from_a_list(company: Company) -> None:
    company.staff("77", JO, roles=("Support",))
    company.policy(ROLES)
    company.added("7", JO, role="Agent")
    found = company.teammates(seen("7", JO, role="Admin"), requested=T0 + DAY)
    assert inferred(found, "C4") == [(1, True)]


def test_what_a_decision_opens_is_not_inferred_though_the_teammate_was_seen(company: Company) -> None:
    company.staff("77", JO, roles=("Support",))
    company.teammates(seen("7", JO, role="Admin"), requested=T0 + DAY)
    assert inferred(company.policy(ROLES), "C4") == [(1, False)]


def test_without_settings_that_name_these_rules_the_answers_are_those_of_before() -> None:
    before, unknown = Company(), Company()
    configured(before, further={})
    configured(unknown, further={"rules": '"99"'})
    for company in (before, unknown):
        found = company.teammates(seen("7", JO), requested=T0 + DAY)
        assert inferred(found, "C1") == [(1, False)]
        assert found[0]["finding_info"]["analytic"]["version"] == "1"


def test_rules_are_never_followed_by_earlier_ones(company: Company) -> None:
    company.added("7", JO)
    company.policy(everyone())
    company.add(msgspec.structs.replace(decision("role.desired", "7"), role=DesiredRole(name="Lead")))
    assert TenantState(company.table, TENANT).rules_version == "5"
