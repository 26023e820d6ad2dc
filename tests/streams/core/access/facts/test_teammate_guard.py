"""The guard on snapshots of teammates: a mass disappearance is one finding and changes nobody's access, until it is confirmed."""

import pytest

from schemas.access.facts import Fact, Snapshot
from schemas.ids import derived
from schemas.tenancy import GuardSettings
from streams.core.access.checks.presence import SECOND
from streams.core.access.state.tenant import TenantState
from tests.support.company import APP, DAY, T0, TENANT, Company, admin, everyone, story, teammates_facts

GUARD_HEADS = GuardSettings().heads
READ = T0 + 10 * DAY


def seen(account: str) -> Fact:
    return admin("admin.seen", account)


def team(count: int) -> list[str]:
    return [str(number) for number in range(100, 100 + count)]


def company_of(count: int) -> Company:
    company = Company()
    company.policy(everyone())
    for account in team(count):
        company.added(account, f"{account}@acme.example")
    return company


def confirmation(id_: str, app: str | None = APP, replaces: str | None = None) -> Fact:
    return Fact(
        id=derived("confirmed", id_, replaces), tenant=TENANT, kind="snapshot.confirmed", source="operator", basis="decided",
        app_id=app, replaces=replaces, snapshot=Snapshot(id=id_, source="intercom", requested=READ),
    )  # fmt: skip


def present(company: Company) -> set[str]:
    return {row["account"] for row in company.states().values() if row["check"] == "C1"}


def under_way(company: Company) -> list[str]:
    """Return the rows of snapshots under way."""
    rows = TenantState(company.table, TENANT).backlog.teammate_snapshots
    return [item for collection in (rows.stagings, rows.staged, rows.pages) for item, _ in collection.walk()]


def test_the_guard_refuses_a_mass_disappearance_as_one_finding_and_changes_no_account():
    company = company_of(40)
    left = team(40)[: 40 - GUARD_HEADS]
    findings = company.teammates(*(seen(account) for account in left), requested=READ)
    assert story(findings) == ["S1 ws1 opened"]
    assert "lacks 10 of 40 teammates" in findings[0]["message"]
    assert company.ledger()[-1]["outcome"] == "refused"
    assert present(company) == set(team(40))
    assert company.results()["S1 ws1"] == "FAIL"


@pytest.mark.parametrize(("heads", "absent"), [(GUARD_HEADS - 1, GUARD_HEADS - 1), (50, GUARD_HEADS)])
def test_the_guard_lets_few_heads_and_small_shares_pass(heads, absent):
    company = company_of(heads)
    company.teammates(*(seen(account) for account in team(heads)[absent:]), requested=READ)
    assert present(company) == set(team(heads)[absent:])


def test_a_refused_snapshot_applies_once_it_is_confirmed_however_late():
    company = company_of(20)
    company.teammates(seen("100"), requested=READ)
    company.tick(company.clock + DAY)
    findings = company.add(confirmation(derived("teammates", APP, READ)))
    assert "S1 ws1 closed fixed" in story(findings)
    assert present(company) == {"100"}
    assert under_way(company) == []
    missed = next(finding for finding in findings if finding["unmapped"]["check"] == "S2")
    assert {"name": "missed", "value": "19"} in missed["compliance"]["control_parameters"]


def test_a_snapshot_confirmed_before_its_end_is_not_refused():
    company = company_of(20)
    *parts, end = teammates_facts(seen("100"), requested=READ)
    for fact in [*parts, confirmation(derived("teammates", APP, READ)), end]:
        company.add(fact)
    assert present(company) == {"100"}
    assert "S1 ws1 opened" not in story(company.findings())


def test_a_confirmation_of_nothing_or_one_that_replaces_another_is_stale():
    company = company_of(20)
    company.add(confirmation("unheard of"))
    assert company.ledger()[-1]["outcome"] == "stale"
    company.teammates(seen("100"), requested=READ)
    company.add(confirmation(derived("teammates", APP, READ), replaces="another"))
    assert company.ledger()[-1]["outcome"] == "stale"
    assert len(present(company)) == 20


def test_the_next_snapshot_replaces_one_that_was_refused():
    company = company_of(20)
    company.teammates(seen("100"), requested=READ)
    company.teammates(seen("101"), requested=READ + SECOND)
    assert story(company.findings()).count("S1 ws1 opened") == 1
    assert story(company.teammates(*map(seen, team(20)), requested=READ + DAY)) == ["S1 ws1 closed fixed"]
    company.tick(company.clock + SECOND)
    assert under_way(company) == []
    company.add(confirmation(derived("teammates", APP, READ)))
    assert company.ledger()[-1]["outcome"] == "stale"
