"""Further checks about a workspace: pending invitations (C7) and mass changes (C16)."""

from typing import Any

import pytest

from streams.core.access.facts.activity import invites
from streams.core.access.facts.activity.invites import REMEMBERED
from streams.core.access.state.tenant import TenantState
from tests.streams.core.access.checks.further.activities import ENDED, HOUR, JO, company_with, did, of
from tests.support.company import APP, DAY, SECOND, T0, TENANT, Company, admin

AL = "al@acme.example"


def invited(address: str | None, type_: str = "creation", at: int = T0 + HOUR, id_: str = "") -> Any:
    metadata = {} if address is None else {"email": address}
    return did(f"admin_invite_{type_}", "1", at=at, **metadata, **({"n": id_} if id_ else {}))


def reason(company: Company) -> str:
    return next(row["reason"] for row in company.states().values() if row["check"] == "C7")


def test_c7_an_invitation_of_an_address_that_nobody_knows_fails_until_it_is_withdrawn():
    company = company_with("C7")
    found = company.add(invited("Mallory@Elsewhere.example"))
    assert of("C7", found) == ["C7 ws1 opened"]
    (finding,) = [each for each in found if each["unmapped"]["check"] == "C7"]
    assert (finding["time"], finding["unmapped"]["reason"]) == (T0 + HOUR, "invited_unknown")
    assert "mallory" not in str(finding).casefold()
    assert of("C7", company.add(invited("mallory@elsewhere.example", "deletion", T0 + DAY))) == ["C7 ws1 closed not_applicable"]


def test_c7_an_invitation_of_somebody_employed_passes_and_fails_from_the_end_of_their_employment_on():
    company = company_with("C7")
    company.staff("78", AL)
    company.add(invited(AL))
    assert company.results()["C7 ws1"] == "PASS"
    ends = company.clock + DAY
    company.staff("78", AL, at=T0 + DAY, ends=ends)
    (opened,) = [each for each in company.tick(ends + DAY) if each["unmapped"]["check"] == "C7"]
    assert (opened["time"], opened["unmapped"]["reason"]) == (ends, "invited_leaver")


def test_c7_an_unknown_address_that_a_staff_source_turns_out_to_have_passes():
    company = company_with("C7")
    company.add(invited(AL))
    assert of("C7", company.staff("78", AL)) == ["C7 ws1 closed fixed"]


def test_c7_who_has_joined_is_no_longer_invited_in_either_order():
    first, second = company_with("C7"), company_with("C7")
    first.add(invited(AL))
    assert of("C7", first.added("8", AL, at=T0 + 2 * HOUR)) == ["C7 ws1 closed not_applicable"]
    second.added("8", AL, at=T0 + 2 * HOUR)
    assert of("C7", second.add(invited(AL))) == []
    assert "C7 ws1" not in second.results()


@pytest.mark.parametrize("metadata", [{"after": {"email": AL}}, {"invite": {"email": AL}}, {"invitee_email": AL}])
def test_c7_reads_the_invited_wherever_the_metadata_may_name_them(metadata: dict[str, Any]):
    company = company_with("C7")
    company.add(did("admin_invite_creation", "1", at=T0 + HOUR, **metadata))
    assert reason(company) == "invited_unknown"


def test_c7_an_invitation_that_names_nobody_is_unknown_for_thirty_days():
    company = company_with("C7")
    made = company.clock
    company.add(invited(None, at=made))
    assert (company.results()["C7 ws1"], reason(company)) == ("UNKNOWN", "invitee_not_named")
    company.tick(made + 31 * DAY)
    assert "C7 ws1" not in company.results()


def test_c7_remembers_the_same_sixteen_invitations_that_name_nobody_in_any_order():
    forth, back = company_with("C7"), company_with("C7")
    many = [invited(None, at=T0 + number * HOUR, id_=str(number)) for number in range(REMEMBERED + 5)]
    for company, facts in ((forth, many), (back, many[::-1])):
        for fact in (*facts, facts[0]):
            company.add(fact)
        assert (company.results()["C7 ws1"], reason(company)) == ("UNKNOWN", "invitee_not_named")
        company.add(invited("mallory@elsewhere.example"))
    rows = [dict(TenantState(company.table, TENANT).invites.walk(APP)) for company in (forth, back)]
    assert [len(each) for each in rows] == [REMEMBERED + 1] * 2
    assert sorted(rows[0]) == sorted(rows[1])
    assert reason(forth) == reason(back) == "invited_unknown"


FEW = 20


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few invitations that name somebody are remembered: the same as many, in less time."""
    monkeypatch.setattr(invites, "REMEMBERED_NAMED", FEW)


def flood(company: Company, count: int, type_: str = "creation", *, since: int = T0 + DAY) -> None:
    for number in range(count):
        company.add(invited(f"mallory.{number}@elsewhere.example", type_, since + number * SECOND))


@pytest.mark.usefixtures("few")
def test_c7_remembers_the_same_invitations_in_any_order_and_no_more_than_its_bound():
    forth, back = company_with("C7"), company_with("C7")
    many = [invited(f"mallory.{number}@elsewhere.example", at=T0 + number * HOUR) for number in range(FEW + 40)]
    for company, facts in ((forth, many), (back, many[::-1])):
        for fact in facts:
            company.add(fact)
    rows = [dict(TenantState(company.table, TENANT).invites.walk(APP)) for company in (forth, back)]
    named = [sorted(address for address, row in each.items() if row.is_named) for each in rows]
    assert named[0] == named[1]
    assert [len(each) for each in rows] == [FEW + 1] * 2  # and that some were forgotten
    forgotten = TenantState(forth.table, TENANT).addresses.holders("mallory.0@elsewhere.example")
    assert forgotten.accounts == ()


@pytest.mark.usefixtures("few")
def test_c7_invitations_that_were_withdrawn_since_hide_no_leaver_whose_invitation_is_forgotten():
    company = company_with("C7")
    company.staff("78", AL, ends=ENDED)
    company.add(invited(AL))
    flood(company, FEW)
    flood(company, FEW, "deletion", since=T0 + 2 * DAY)
    assert (company.results()["C7 ws1"], reason(company)) == ("UNKNOWN", "invitations_forgotten")
    assert not [line for line in of("C7", company.findings()) if "closed" in line]  # the finding about the leaver is open


@pytest.mark.usefixtures("few")
def test_c7_passes_though_invitations_are_forgotten_of_whom_has_joined():
    company = company_with("C7")
    company.staff("78", AL)
    company.add(invited(AL))
    company.added("8", AL, at=T0 + 2 * HOUR)
    flood(company, FEW, "deletion")
    company.staff("79", "bo@acme.example")
    company.add(invited("bo@acme.example", at=T0 + 3 * DAY))
    assert company.results()["C7 ws1"] == "PASS"


@pytest.mark.usefixtures("few")
def test_c7_an_invitation_that_is_forgotten_and_comes_again_changes_nothing():
    company = company_with("C7")
    company.add(first := invited("mallory@elsewhere.example"))
    flood(company, FEW)
    before = dict(TenantState(company.table, TENANT).invites.walk(APP))
    assert of("C7", company.add(first)) == []
    assert dict(TenantState(company.table, TENANT).invites.walk(APP)) == before


def test_c7_a_leaver_is_named_before_an_unknown_address_and_both_are_counted():
    company = company_with("C7")
    company.staff("78", AL, ends=ENDED)
    company.add(invited("mallory@elsewhere.example"))
    company.add(invited(AL, at=T0 + 2 * HOUR))
    shown = {each["name"]: each["value"] for each in company.findings()[-1]["compliance"]["control_parameters"]}
    assert (reason(company), shown["leavers"], shown["unknown"]) == ("invited_leaver", "1", "1")


def test_c16_ten_teammates_removed_within_an_hour_are_one_finding_since_the_first():
    company = company_with("C16", days=7)
    now = company.clock
    for number in range(9):
        company.removed(str(number), at=now + number * SECOND)
    assert "C16 ws1" not in company.results()
    (opened,) = [each for each in company.removed("9", at=now + 9 * SECOND) if each["unmapped"]["check"] == "C16"]
    assert opened["time"] == now
    assert of("C16", company.removed("10", at=now + 10 * SECOND)) == ["C16 ws1 updated"]
    assert of("C16", company.tick(now + 8 * DAY)) == ["C16 ws1 closed not_applicable"]


def test_c16_as_many_over_a_longer_time_or_of_one_teammate_are_no_mass_change():
    company = company_with("C16", heads=3)
    for number in range(12):
        company.removed(str(number), at=T0 + 10 * DAY + number * HOUR)
    for number in range(12):
        company.add(admin("admin.added" if number % 2 else "admin.removed", "99", JO, at=T0 + 10 * DAY + number * SECOND))
    assert "C16 ws1" not in company.results()


def test_c16_counts_changes_of_roles_and_seats_in_the_activity_log_and_only_of_one_workspace():
    company = company_with("C16", heads=3)
    now = company.clock
    company.add(did("seat_change", "1", at=now, n=1))
    company.add(did("seat_change", "1", at=now, n=2))
    company.add(did("role_change", "1", at=now, n=3, app="ws2"))
    assert "C16 ws1" not in company.results()
    company.add(did("role_change", "1", at=now + SECOND))
    assert company.results()["C16 ws1"] == "FAIL"


def test_c16_remembers_nothing_while_it_is_off():
    company = company_with("C8")
    for number in range(20):
        company.removed(str(number), at=company.clock)
    assert not [key for key in company.table.rows() if "|changes|" in key or key.startswith("changes")]
    assert APP in {row["app_id"] for row in company.states().values()}
