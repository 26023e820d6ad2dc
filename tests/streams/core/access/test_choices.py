"""Decisions which of two contradicting staff sources is right about somebody's employment."""

from schemas.access.facts import Fact, StaffChoice
from schemas.ids import derived
from tests.support.company import DAY, T0, TENANT, Company, by_rules, everyone, person_of, story

JO = "jo@acme.example"


def chosen(record: str, source: str | None, replaces: str | None = None, *, field: str = "employment", of: str = "hr") -> Fact:
    return Fact(
        id=derived("chosen", record, source, replaces), tenant=TENANT, kind="staff.decided", source="operator", basis="decided",
        staff=person_of(record, of), choice=StaffChoice(field=field, source=source), replaces=replaces,
    )  # fmt: skip


def contradicted() -> Company:
    """Return a company whose HR says that Jo left, and whose identity provider does not."""
    company = Company()
    company.policy(everyone())
    company.staff("77", JO, ends=T0 + DAY)
    company.staff("j", JO, source="idp")
    company.added("7", JO)
    return company


def test_the_source_that_is_decided_to_be_right_says_whether_employment_has_ended():
    company = contradicted()
    assert company.results()["C2 7"] == "FAIL"
    right = chosen("77", "idp")
    assert story(company.add(right)) == ["C2 7 closed not_applicable"]
    assert company.results()["C2 7"] == "PASS"
    (opened,) = company.add(chosen("77", "hr", right.id))
    assert (opened["unmapped"]["result"], opened["unmapped"]["reason"]) == ("FAIL", "employment_ended")
    assert {"name": "decided", "value": "hr"} in opened["compliance"]["control_parameters"]


def test_no_finding_is_dated_before_the_decision_it_rests_on():
    company = contradicted()
    company.add(chosen("77", "hr"))
    assert company.states()["acme|C2|ws1|7|" + person_of("77")]["since"] == company.clock


def test_a_decision_that_is_taken_back_lets_every_source_count_again():
    company = contradicted()
    right = chosen("77", "idp")
    company.add(right)
    company.add(chosen("77", None, right.id))
    assert company.results()["C2 7"] == "FAIL"


def test_any_id_of_a_person_names_them():
    company = contradicted()
    company.add(
        Fact(
            id="f",
            tenant=TENANT,
            kind="staff.decided",
            source="operator",
            basis="decided",
            staff=person_of("j", "idp"),
            choice=StaffChoice(field="employment", source="idp"),
        )
    )
    assert company.results()["C2 7"] == "PASS"


def test_a_decision_holds_also_before_a_record_of_the_person_is_known():
    company = Company()
    company.policy(everyone())
    company.add(chosen("77", "idp"))
    company.staff("77", JO, ends=T0 + DAY)
    company.staff("j", JO, source="idp")
    company.added("7", JO)
    assert company.results()["C2 7"] == "PASS"


def test_the_second_of_two_who_decide_at_once_is_stale():
    company = contradicted()
    company.add(chosen("77", "idp"))
    assert company.add(chosen("77", "hr")) == []
    assert company.ledger()[-1]["outcome"] == "stale"
    assert company.results()["C2 7"] == "PASS"


def test_a_decision_about_another_field_is_void():
    company = contradicted()
    company.add(chosen("77", "idp", field="name"))
    assert (company.ledger()[-1]["outcome"], company.results()["C2 7"]) == ("void", "FAIL")


def test_a_decision_by_which_somebody_has_not_left_is_seen_where_they_might_own_the_account():
    company = Company()
    company.policy(everyone())
    company.staff("1", JO, source="scim", employee="e1")
    company.staff("2", JO, source="idp", employee="e2")
    company.staff("77", JO, source="idp", ends=T0 + DAY)  # who might be the first
    company.decided("account.linked", "7", staff=person_of("1", "scim"))
    company.added("7")
    assert company.results()["C2 7"] == "UNKNOWN"
    company.add(chosen("77", "scim", of="idp"))
    assert company.results()["C2 7"] == "PASS"


def c2(company: Company) -> tuple[str, int]:
    row = next(row for row in company.states().values() if row["check"] == "C2")
    return row["result"], row["since"]


def test_a_decision_that_leaves_the_source_that_is_right_dates_nothing_whichever_record_it_names():
    company = by_rules("5")
    company.policy(everyone())
    company.staff("77", JO, ends=T0 + DAY)
    company.staff("j", JO, source="idp")
    company.added("7", JO)
    first = chosen("77", "hr")
    company.add(first)
    decided = ("FAIL", company.clock)
    assert c2(company) == decided
    assert company.add(chosen("j", "hr", of="idp")) == []
    assert c2(company) == decided
    assert company.add(chosen("77", None, first.id)) == []  # that about the other record stands
    assert c2(company) == decided
    company.add(chosen("j", None, chosen("j", "hr", of="idp").id, of="idp"))
    assert c2(company) == ("FAIL", company.clock)  # all sources count again
