"""The company of the access benchmark: its directory, its teammates, and what must follow from them."""

import csv

import msgspec

from bench.access.benchmark import _checks
from bench.access.company import company_of, teammates, write_directory, write_policy
from bench.access.trial import PHASES, Phase, Trial
from connectors.policy import file as policy_file
from connectors.staff.csv.columns import fields_of
from connectors.staff.csv.file_form import StaffFileForm
from connectors.staff.csv.parse_row import rows
from connectors.staff.csv.read_file import read
from streams.core.access.checks.policy.validity import VALIDITIES
from streams.core.access.checks.table import WITH_GRACE
from streams.core.normal_forms.addresses import normal


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
    assert len(posted) == company.teammates == 100
    assert sum(address not in addresses for address in posted) == company.unknown == 10
    assert company.leavers_with_accounts == 50


def test_a_trial_with_a_finding_too_few_or_too_many_does_not_hold():
    company = company_of(5_000)

    def holds(opened, facts=5_000):
        phases = {name: Phase(facts=facts, rate=1, cpu_us=1, grown_mib=1) for name in PHASES}
        return list(_checks(company, "ours", {0: Trial(phases=phases, peak_mib=1, opened=opened)}).values())

    assert holds({"IC-1": 10, "IC-2": 50, "IC-4": 3}) == [True, True]
    assert holds({"IC-1": 10, "IC-2": 49}) == [True, False]
    assert holds({"IC-1": 11, "IC-2": 50}) == [True, False]
    assert holds({"IC-1": 10, "IC-2": 50}, facts=4_999) == [False, True]
