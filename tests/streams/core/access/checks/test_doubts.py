"""By the rules of version 5 an answer begins where the one before it ended also where an address names its owner by another rule."""

from collections.abc import Callable

import msgspec
import pytest

from schemas.access.facts import Fact
from tests.streams.core.access.checks.test_beginnings import JO, company_with, last, since
from tests.streams.core.access.test_choices import chosen
from tests.support.company import APP, DAY, T0, Company, everyone, roles, settings, staff

OLD = "old@acme.example"


def first_settings(version: str) -> str:
    """Return the id of the settings that put the rules in force."""
    return settings(workspaces=(APP,), further={"rules": f'"{version}"'}).id


def company_where_absence_is_an_end(policy: Fact, version: str) -> tuple[Company, str]:
    """Return a company, and the id of the settings by which absence from a list of `hr` is an end."""
    company = company_with(policy, version=version)
    ended = settings(first_settings(version), workspaces=(APP,), further={"absence": '{"hr": "ended"}'})
    company.add(msgspec.structs.replace(ended, time=T0))
    return company, ended.id


def employed_by_two_sources(company: Company) -> None:
    company.staff("77", JO)
    company.staff("j", JO, source="idp")
    company.added("7", JO, at=T0 + DAY)


def company_whose_list_lacks_jo(version: str) -> tuple[Company, str]:
    """Return a company where absence is an end, with a list that lacks somebody of another source too, and the settings' id."""
    company, ended = company_where_absence_is_an_end(everyone(), version)
    employed_by_two_sources(company)
    company.snapshot(requested=T0 + 5 * DAY)
    assert company.results()["C2 7"] == "FAIL"
    return company, ended


def let_absence_be_no_end(company: Company, settings_before: str, *, day: int) -> None:
    company.add(msgspec.structs.replace(settings(settings_before, workspaces=(APP,)), time=T0 + day * DAY))


def answer_once_another_lost_the_address(company: Company, address: str, *, had: str | None, has: str) -> tuple[str, int]:
    """Return what C1 says, and since which day, of an account of this address that two records named until the sixth day; the numbers are of the second."""
    company.staff("77", JO, employee="e1")
    company.staff("78", JO, employee=had)
    company.added("7", address, at=T0 + DAY)
    assert company.results()["C1 7"] == "FAIL"
    company.staff("78", at=T0 + 6 * DAY, employee=has)
    return company.results()["C1 7"], since(company, "C1")


def a_number_of_a_record_that_never_had_the_address(company: Company) -> None:
    """Jo's record of another source has another address, and the number that makes it Jo's since the sixth day."""
    company.staff("77", JO, employee="e1")
    company.staff("j", OLD, source="idp", employee="e9")
    company.added("7", JO, at=T0 + DAY)
    company.staff("j", OLD, source="idp", at=T0 + 6 * DAY, employee="e1")


def a_second_record_that_has_its_number_from_its_first_day(company: Company) -> None:
    company.staff("77", JO, employee="e1")
    company.added("7", JO, at=T0 + DAY)
    company.staff("78", JO, at=T0 + 6 * DAY, employee="e1")


@pytest.mark.parametrize(
    "shown", [a_number_of_a_record_that_never_had_the_address, a_second_record_that_has_its_number_from_its_first_day]
)
@pytest.mark.parametrize("version", ["4", "5"])
def test_a_number_dates_nothing_where_the_address_was_never_in_doubt(shown: Callable[[Company], None], version: str):
    company = company_with(everyone(), version=version)
    shown(company)
    assert company.results()["C1 7"] == "PASS"
    assert since(company, "C1") == (1 if version == "5" or shown is a_number_of_a_record_that_never_had_the_address else 6)


@pytest.mark.parametrize(("version", "day"), [("4", 1), ("5", 6)])
def test_a_record_that_loses_the_address_as_its_number_shows_whose_it_is_ended_the_doubt(version: str, day: int):
    company = company_with(everyone(), version=version)
    assert answer_once_another_lost_the_address(company, JO, had=None, has="e1") == ("PASS", day)


@pytest.mark.parametrize(("version", "day"), [("4", 1), ("5", 6)])
def test_an_account_that_is_its_owners_by_a_former_address_is_so_since_nobody_else_had_it_formerly(version: str, day: int):
    company = company_with(everyone(), version=version)
    company.staff("77", OLD, employee="e1")
    company.staff("78", OLD, employee="e2")
    company.added("7", OLD, at=T0 + DAY)
    company.staff("77", JO, at=T0 + 2 * DAY, employee="e1")
    company.staff("78", "al@acme.example", at=T0 + 3 * DAY, employee="e2")
    assert company.results()["C1 7"] == "FAIL"
    company.snapshot(staff("77", JO, employee="e1"), requested=T0 + 6 * DAY)
    assert (company.results()["C1 7"], since(company, "C1")) == ("PASS", day)


@pytest.mark.parametrize(("version", "day"), [("4", 1), ("5", 6)])
def test_an_account_that_is_its_owners_by_another_domain_is_so_since_the_others_lost_that_address(version: str, day: int):
    company = company_with(everyone(), version=version)
    aliases = settings(first_settings(version), aliases={"acme.test": "acme.example"}, workspaces=(APP,))
    company.add(msgspec.structs.replace(aliases, time=T0))
    assert answer_once_another_lost_the_address(company, "jo@acme.test", had="e2", has="e2") == ("PASS", day)


@pytest.mark.parametrize(("version", "day"), [("4", 1), ("5", 8)])
def test_who_is_employed_passes_since_nobody_whom_a_former_address_names_is_a_leaver_any_more(version: str, day: int):
    company = company_with(everyone(), version=version)
    company.staff("77", JO, employee="e1")
    company.staff("78", OLD, employee="e2", ends=T0 + 2 * DAY)
    company.added("7", OLD, at=T0)
    company.seen("7", JO, at=T0 + DAY)
    assert company.results()["C2 7"] == "UNKNOWN"
    company.staff("78", OLD, at=T0 + 8 * DAY, employee="e2")  # with an end that is empty
    assert (company.results()["C2 7"], since(company, "C2")) == ("PASS", day)
    assert since(company, "C4") == 8


@pytest.mark.parametrize(("version", "day"), [("4", 20), ("5", 1)])
def test_settings_by_which_an_absence_to_come_is_no_end_employ_nobody_again(version: str, day: int):
    company, ended = company_where_absence_is_an_end(everyone(), version)
    employed_by_two_sources(company)
    company.snapshot(requested=T0 + 30 * DAY)  # by a clock that is ahead of the log's
    let_absence_be_no_end(company, ended, day=20)
    assert (company.results()["C2 7"], since(company, "C2")) == ("PASS", day)


@pytest.mark.parametrize(("version", "day"), [("4", 1), ("5", 8)])
def test_who_is_employed_since_the_settings_say_so_is_not_since_before_when_the_record_is_there_again(version: str, day: int):
    company, ended = company_whose_list_lacks_jo(version)
    let_absence_be_no_end(company, ended, day=8)
    assert (company.results()["C2 7"], since(company, "C2")) == ("PASS", 8)
    company.staff("77", JO, at=T0 + 10 * DAY)
    assert (company.results()["C2 7"], since(company, "C2")) == ("PASS", day)


@pytest.mark.parametrize(("version", "day"), [("4", 1), ("5", 8)])
def test_a_role_that_is_not_valid_is_so_since_settings_by_which_an_absence_is_no_end(version: str, day: int):
    company, ended = company_where_absence_is_an_end(roles("Support"), version)
    company.staff("77", JO, roles=("Sales",))
    company.added("7", JO, at=T0 + DAY)
    company.snapshot(requested=T0 + 5 * DAY)
    assert last(company, "C2") == ("C2 7 opened", 5)
    let_absence_be_no_end(company, ended, day=8)
    assert company.results()["C1 7"] == "FAIL"
    assert (company.results()["C4 7"], since(company, "C4")) == ("UNKNOWN", day)


def decided_to_be_right(source: str | None, replaces: str | None = None, *, day: int, record: str = "77", of: str = "hr") -> Fact:
    return msgspec.structs.replace(chosen(record, source, replaces, of=of), time=T0 + day * DAY)


@pytest.mark.parametrize(("version", "day"), [("4", 8), ("5", 6)])
def test_settings_by_which_an_absence_is_no_end_date_nothing_where_another_source_is_right(version: str, day: int):
    company, ended = company_whose_list_lacks_jo(version)
    right = decided_to_be_right("idp", day=6)
    company.add(right)
    assert (company.results()["C2 7"], since(company, "C2")) == ("PASS", 6)
    let_absence_be_no_end(company, ended, day=8)
    assert (company.results()["C2 7"], since(company, "C2")) == ("PASS", day)
    company.add(decided_to_be_right(None, right.id, day=10))
    assert (company.results()["C2 7"], since(company, "C2")) == ("PASS", day)


@pytest.mark.parametrize("version", ["4", "5"])
def test_a_decision_dates_nothing_where_an_absence_was_no_end_yet(version: str):
    company, ended = company_where_absence_is_an_end(everyone(), version)
    employed_by_two_sources(company)
    company.add(decided_to_be_right("idp", day=3))
    company.snapshot(requested=T0 + 5 * DAY)
    company.staff("77", JO, at=T0 + 7 * DAY)
    assert (company.results()["C2 7"], since(company, "C2")) == ("PASS", 1)
    let_absence_be_no_end(company, ended, day=8)
    assert (company.results()["C2 7"], since(company, "C2")) == ("PASS", 1)


@pytest.mark.parametrize(("version", "day"), [("4", 1), ("5", 6)])
def test_a_decision_dates_who_passes_by_it_also_where_the_end_was_asserted_after_it(version: str, day: int):
    company = company_with(everyone(), version=version)
    employed_by_two_sources(company)
    company.staff("77", JO, at=T0 + 9 * DAY, ends=T0 + 2 * DAY)
    assert last(company, "C2") == ("C2 7 opened", 2)
    company.add(decided_to_be_right("idp", day=6))
    assert (company.results()["C2 7"], since(company, "C2")) == ("PASS", day)


def test_an_account_is_identified_since_a_number_showed_it_also_where_the_number_was_in_doubt_for_a_moment_later():
    company = company_with(everyone(), version="5")
    company.staff("77", JO, employee="e1")
    company.staff("78", JO)
    company.added("7", JO, at=T0 + DAY)
    assert company.results()["C1 7"] == "FAIL"
    company.staff("78", JO, at=T0 + 6 * DAY, employee="e1")
    assert (company.results()["C1 7"], since(company, "C1")) == ("PASS", 6)
    for number in ("e1", "e2"):  # of two numbers at one time the smaller counts
        company.staff("78", JO, at=T0 + 8 * DAY, employee=number)
    assert (company.results()["C1 7"], since(company, "C1")) == ("PASS", 6)


def test_an_account_is_identified_since_a_number_showed_that_records_kept_apart_by_a_third_are_one():
    company = company_with(everyone(), version="5")
    domains = {"acme.test": "acme.example", "acme.org": "acme.example"}
    aliases = settings(first_settings("5"), aliases=domains, workspaces=(APP,))
    company.add(msgspec.structs.replace(aliases, time=T0))
    company.staff("77", JO, OLD)
    company.staff("j", "jo@acme.org", OLD, source="idp")
    company.staff("78", OLD)
    company.added("7", "jo@acme.test", at=T0 + DAY)
    assert company.results()["C1 7"] == "FAIL"
    company.staff("77", JO, OLD, at=T0 + 6 * DAY, employee="e1")
    company.staff("j", "jo@acme.org", OLD, source="idp", at=T0 + 6 * DAY, employee="e1")
    assert (company.results()["C1 7"], since(company, "C1")) == ("PASS", 6)


@pytest.mark.parametrize(("version", "day"), [("4", 3), ("5", 7)])
def test_a_decision_that_is_taken_back_leaves_the_one_about_another_id_of_the_person(version: str, day: int):
    company = company_with(everyone(), version=version)
    company.staff("77", JO, ends=T0 + 2 * DAY)
    company.staff("j", JO, source="idp")
    company.added("7", JO, at=T0 + DAY)
    company.add(decided_to_be_right("idp", day=3))
    assert (company.results()["C2 7"], since(company, "C2")) == ("PASS", 3)
    other = decided_to_be_right("hr", day=5, record="j", of="idp")
    company.add(other)
    assert (company.results()["C2 7"], since(company, "C2")) == ("FAIL", 5)
    company.add(decided_to_be_right(None, other.id, day=7, record="j", of="idp"))
    assert (company.results()["C2 7"], since(company, "C2")) == ("PASS", day)


def another_number_is_given_to_jos(company: Company) -> None:
    company.staff("j", OLD, source="idp", at=T0 + 6 * DAY, employee="e2")


def another_number_is_given_to_the_other(company: Company) -> None:
    company.staff("79", source="hr", at=T0 + 6 * DAY, employee="e2")


@pytest.mark.parametrize("ended", [another_number_is_given_to_jos, another_number_is_given_to_the_other])
def test_an_account_is_identified_since_nobody_elses_record_has_the_number_of_the_owners(ended: Callable[[Company], None]):
    company = company_with(everyone(), version="5")
    company.staff("77", JO)
    company.staff("j", JO, source="idp", employee="e1")
    company.staff("79", employee="e1")  # of the first one's source, so the three are not one person
    company.added("7", JO, at=T0 + DAY)
    assert company.results()["C1 7"] == "FAIL"
    ended(company)
    assert (company.results()["C1 7"], since(company, "C1")) == ("PASS", 6)


def test_a_number_that_is_known_late_and_was_somebody_elses_too_dates_the_identification():
    company = company_with(everyone(), version="5")
    company.staff("77", JO)
    company.staff("j", JO, source="idp", employee="e1")
    company.added("7", JO, at=T0 + DAY)
    company.staff("j", JO, source="idp", at=T0 + 6 * DAY, employee="e2")
    assert (company.results()["C1 7"], since(company, "C1")) == ("PASS", 1)
    company.staff("79", at=T0 + 8 * DAY, employee="e3")
    company.staff("79", at=T0 + 2 * DAY, employee="e1")
    assert (company.results()["C1 7"], since(company, "C1")) == ("PASS", 6)


def test_an_account_is_identified_since_another_record_joined_those_that_it_names():
    company = company_with(everyone(), version="5")
    aliases = settings(first_settings("5"), aliases={"acme.test": "acme.example", "acme.org": "acme.example"}, workspaces=(APP,))
    company.add(msgspec.structs.replace(aliases, time=T0))
    company.staff("77", JO)
    company.staff("j", "jo@acme.org", source="idp")
    company.added("7", "jo@acme.test", at=T0 + DAY)
    assert company.results()["C1 7"] == "FAIL"
    company.staff("5", JO, "jo@acme.org", source="rota", at=T0 + 6 * DAY)
    assert (company.results()["C1 7"], since(company, "C1")) == ("PASS", 6)


@pytest.mark.parametrize(("status", "day"), [("withdrawn", 1), ("active", 4)])
def test_a_record_that_was_withdrawn_while_it_had_the_address_kept_nobody_in_doubt(status: str, day: int):
    company = company_with(everyone(), version="5")
    company.staff("2", JO, employee="e1")
    company.added("7", JO, at=T0 + DAY)
    company.staff("1", JO, at=T0 + 2 * DAY, employee="e2", status=status)
    company.staff("1", at=T0 + 4 * DAY, employee="e1", status="active")  # without the address, and of the same number
    assert (company.results()["C1 7"], since(company, "C1")) == ("PASS", day)


def test_an_account_stays_identified_where_its_address_named_another_record_of_its_owner():
    """Jo's other record kept the former address; it is of the same person until it is withdrawn, and of another one only afterwards."""
    company = company_with(everyone(), version="5")
    company.staff("77", OLD, employee="e1")
    company.added("7", OLD, at=T0 + DAY)
    company.staff("j", OLD, source="idp", at=T0 + 2 * DAY)
    company.staff("77", JO, at=T0 + 4 * DAY, employee="e1")
    company.staff("j", JO, source="idp", at=T0 + 5 * DAY, employee="e1", status="withdrawn")
    company.staff("j", OLD, source="idp", at=T0 + 6 * DAY, employee="e2")
    assert (company.results()["C1 7"], since(company, "C1")) == ("PASS", 1)
