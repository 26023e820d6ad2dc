"""Exemptions by what people read: who approves, why, and which role an account or a person has, however each of these is written."""

import msgspec
import pytest

from schemas.access.facts import Admin, Fact
from schemas.ids import derived
from tests.streams.core.access.exempting import JO, SOON, Exempting, leaver, outcome
from tests.support.company import DAY, SECOND, T0, Company, admin, by_rules, everyone, roles


def leaver_by_present_rules() -> Company:
    company = by_rules("5")
    company.policy(everyone())
    company.staff("77", JO, ends=T0 + 5 * DAY)
    company.added("7", JO)
    return company


@pytest.mark.parametrize(
    "approver", ["\uff30\uff21\uff34", "p\uff41t", "\U0001d4f9\U0001d4ea\U0001d4fd", "p\u200bat", "pat\u00ad", "\u3000pat\u200e", "p a t", "\u200b", "\u3164", "\u2800"], ids=ascii
)  # fmt: skip
def test_an_approver_who_reads_as_the_one_who_asks_or_as_nobody_is_none(approver):
    company = leaver_by_present_rules()
    company.add(Exempting().granted(approver=approver))
    assert (outcome(company), company.results()["C2 7"]) == ("void", "FAIL")


@pytest.mark.parametrize("approver", ["päť", "\u0440at", "pat2"], ids=ascii)  # the second begins with a Cyrillic letter
def test_an_approver_of_other_letters_is_another(approver):
    company = leaver_by_present_rules()
    company.add(Exempting().granted(approver=approver))
    assert company.results()["C2 7"] == "EXEMPT"


@pytest.mark.parametrize("reason", ["\u200b", "\u3164\u2800", "\u00a0"], ids=ascii)
def test_a_reason_in_which_there_is_nothing_to_read_is_none(reason):
    company = leaver_by_present_rules()
    company.add(Exempting().granted(reason=reason))
    assert outcome(company) == "void"


def test_a_test_of_the_alarm_is_not_exempt():
    company = leaver_by_present_rules()
    company.add(Exempting(check="T1", account=None).granted(expires=None))
    assert outcome(company) == "void"


def test_a_grant_of_former_rules_is_judged_by_them():
    company = leaver()
    company.add(Exempting().granted(approver="\uff30\uff21\uff34"))
    assert (outcome(company), company.results()["C2 7"]) == ("applied", "EXEMPT")


def with_role(role: tuple[str | None, str | None], at: int) -> Fact:
    fact = admin("admin.seen", "7", JO, at=at)
    return msgspec.structs.replace(
        fact, id=derived(fact.id, *(part or "" for part in role)), admin=Admin(role_id=role[0], role_name=role[1])
    )


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        ((None, "Lead"), ("5", "Lead"), "EXEMPT"),  # its id is learned
        (("5", None), ("5", "Lead"), "EXEMPT"),
        (("5", "Lead"), ("5", " lead"), "EXEMPT"),
        (("5", "Lead"), ("5", "Admin"), "FAIL"),
        (("5", "Lead"), ("6", "Lead"), "FAIL"),
        ((None, "Lead"), ("5", None), "FAIL"),  # whether it is the same is not known
        (("5", "Lead"), ("", ""), "FAIL"),
    ],
    ids=str,
)
def test_an_exemption_holds_where_the_same_role_becomes_known_otherwise(before, after, result):
    company = leaver_by_present_rules()
    company.add(with_role(before, T0 + DAY))
    company.add(Exempting().granted())
    company.add(with_role(after, SOON))
    assert company.results()["C2 7"] == result


def test_a_role_whose_id_was_learned_is_another_once_its_id_is_another():
    company = leaver_by_present_rules()
    company.add(with_role((None, "Lead"), T0 + DAY))
    company.add(Exempting().granted())
    company.add(with_role(("5", "Lead"), SOON))
    assert company.results()["C2 7"] == "EXEMPT"
    company.add(with_role(("6", "Lead"), SOON + SECOND))
    assert company.results()["C2 7"] == "FAIL"


def test_staff_roles_in_another_spelling_or_order_are_the_same():
    company = by_rules("5")
    company.policy(roles("Sales"))
    company.staff("77", JO, roles=("Support", "Ops"))
    company.added("7", JO)
    company.add(Exempting(check="C4").granted())
    company.staff("77", JO, at=SOON, roles=("ops", " SUPPORT"))
    assert company.results()["C4 7"] == "EXEMPT"
    company.staff("77", JO, at=SOON + SECOND, roles=("Support",))
    assert company.results()["C4 7"] == "FAIL"
