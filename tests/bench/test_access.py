"""The company of the access benchmark: its directory, its teammates, and what must follow from them."""

import csv

import msgspec
import pytest

from bench.access import large_report, large_tenant, size_report, sizes, tenants
from bench.access.benchmark import _checks
from bench.access.company import Company, company_of, teammates, write_directory, write_policy
from bench.access.trial import PHASES, Phase, Trial
from connectors.policy import file as policy_file
from connectors.staff.csv.columns import fields_of
from connectors.staff.csv.file_form import StaffFileForm
from connectors.staff.csv.parse_row import rows
from connectors.staff.csv.read_file import read
from schemas.intercom.envelope import envelope
from schemas.partition import partition_of
from streams.core.access.checks.policy.validity import VALIDITIES
from streams.core.access.checks.table import WITH_GRACE
from streams.core.access.facts.from_intercom import teammate_fact
from streams.core.normal_forms.addresses import normal
from tests.support.company import Company as Agent

LARGE = tenants.Tenant(id="large", company=Company(staff=20, teammates=10, unknown=10, leavers=0), exemptions=9)


def test_the_directory_is_one_that_staff_import_takes_whole(tmp_path):
    company, file = company_of(300), tmp_path / "staff.csv"
    write_directory(company, file, leavers=company.leavers)
    good, bad = rows(read(file), StaffFileForm(), normalize=normal)
    assert (len(good), bad) == (300, [])
    with file.open() as stream:
        written = list(csv.DictReader(stream))
    assert sorted(fields_of(written[0], {})) == sorted(written[0])
    assert sum(row["status"] == "terminated" for row in written) == company.leavers == 3


def test_the_policy_is_one_that_policy_apply_takes(tmp_path):
    write_policy(tmp_path / "policy.toml")
    assert policy_file.read(tmp_path / "policy.toml", VALIDITIES, WITH_GRACE).policy.rules[0].validity == "all_staff"


def test_teammates_are_staff_but_for_those_nobody_knows(tmp_path):
    company, file = company_of(5_000), tmp_path / "staff.csv"
    write_directory(company, file)
    addresses = {row["email"] for row in csv.DictReader(file.read_text().splitlines())}
    posted = [msgspec.json.decode(body)["data"]["item"]["email"] for body in teammates(company)]
    assert len(posted) == company.teammates == 500
    assert sum(address not in addresses for address in posted) == company.unknown == 50
    assert company.leavers_with_accounts == 50


def test_a_trial_with_a_finding_too_few_or_too_many_does_not_hold():
    company = company_of(5_000)

    def holds(opened, facts=5_000):
        phases = {name: Phase(facts=facts, rate=1, cpu_us=1, grown_mib=1) for name in PHASES}
        return list(_checks(company, "ours", {0: Trial(phases=phases, peak_mib=1, opened=opened)}).values())

    assert holds({"IC-1": 50, "IC-2": 50, "IC-4": 3}) == [True, True]
    assert holds({"IC-1": 50, "IC-2": 49}) == [True, False]
    assert holds({"IC-1": 51, "IC-2": 50}) == [True, False]
    assert holds({"IC-1": 50, "IC-2": 50}, facts=4_999) == [False, True]


def test_the_small_tenant_is_in_the_partition_of_the_large_one():
    small = tenants.neighbour_of("large", 4)
    assert small != "large"
    assert partition_of(small.encode(), 4) == partition_of(b"large", 4)


@pytest.mark.parametrize("roles", [(), ("Support", "Sales")])
def test_both_policies_of_the_large_tenant_are_ones_that_policy_apply_takes(tmp_path, roles):
    [rule] = policy_file.read(tenants.write_policy(LARGE, tmp_path, roles=roles), VALIDITIES, WITH_GRACE).policy.rules
    assert (rule.app_id, rule.roles) == (LARGE.app_id, roles)


def test_teammates_whom_nobody_knows_are_exempt_and_a_further_one_is_not():
    company = Agent()
    bodies = [*tenants.posts(LARGE), tenants.stranger(LARGE, "777")]
    posted = [teammate_fact(envelope(body), LARGE.id) for body in bodies]
    for fact in (*(each.fact for each in posted if each), *tenants.exemptions(LARGE)):
        company.add(fact)
    results = {key: result for key, result in company.results().items() if key.startswith("C1")}
    assert [results[f"C1 {5_000_000 + number}"] for number in (8, 9)] == ["EXEMPT", "FAIL"]
    assert results["C1 777"] == "FAIL"
    assert sum(each["activity_name"] == "Create" and each["unmapped"]["check"] == "C1" for each in company.findings()) == 11


def test_the_sizes_are_compared_with_the_smallest_and_the_raw_engine(monkeypatch):
    def of(rate):
        phases = {name: Phase(facts=1, rate=rate, cpu_us=1, grown_mib=1) for name in PHASES}
        return Trial(phases=phases, peak_mib=1, opened={})

    result = sizes.Sizes(trials={1_000: of(100.0), 50_000: of(90.0)}, raw_rate=900.0)
    monkeypatch.setattr(sizes, "measure", lambda *_, **__: result)
    ratios = size_report.part(None, quick=True).ratios
    assert {name: each.value.median for name, each in ratios.items()} == {
        "first_import_largest_to_smallest": 0.9, "complete_import_largest_to_smallest": 0.9,
        "first_import_to_raw_engine": 0.1, "complete_import_to_raw_engine": 0.1,
    }  # fmt: skip


def test_the_large_tenant_is_compared_with_the_small_one_and_that_one_with_itself(monkeypatch):
    result = large_tenant.LargeTenant(
        small_ms=[10.0] * 3, large_ms=[20.0] * 3, quiet_ms=[10.0] * 99 + [40.0], beside_ms=[10.0] * 99 + [60.0],
        policies_s=[1.0], mib_a_thousand=2.0, accounts=10,
    )  # fmt: skip
    monkeypatch.setattr(large_tenant, "measure", lambda *_, **__: result)
    ratios = large_report.part(None, quick=True).ratios
    assert {name: (each.value.median, each.met) for name, each in ratios.items()} == {
        "large_to_small_p50": (2.0, False), "beside_policy_p99": (1.5, True),
    }  # fmt: skip
