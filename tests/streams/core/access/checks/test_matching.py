"""Who owns an account: which rule comes first, and when none of several candidates is picked."""

from collections.abc import Iterable

import pytest

from streams.core.access.checks.matching import Match, active, is_kept, match
from streams.core.access.state.addresses import aliased, normal, untagged
from streams.core.access.state.staff import StaffMember

NOW = 1000


def member(number: str, *addresses: str, ends: int | None = None) -> StaffMember:
    return StaffMember(number, None, addresses, frozenset(addresses), None, ends, None, ())


def match_of(
    address: str | None,
    *known: StaffMember,
    link: StaffMember | None = None,
    matched: StaffMember | None = None,
    aliases: dict[str, str] | None = None,
) -> Match:
    def find(under: str) -> Iterable[StaffMember]:
        return [each for each in known if under in each.addresses]

    return match(link=link, matched=matched, address=address, find=find, aliases=aliases or {}, at=NOW)


JO, AL = member("1", "jo@a.example"), member("2", "al@a.example")


def test_a_link_comes_before_an_exact_address():
    assert match_of("jo@a.example", JO, AL, link=AL) == Match("link", AL)


def test_an_exact_address_comes_before_an_alias_domain():
    other = member("3", "jo@b.example")
    assert match_of("jo@b.example", JO, other, aliases={"b.example": "a.example"}) == Match("address", other)
    assert match_of("jo@b.example", JO, aliases={"b.example": "a.example"}) == Match("alias", JO)


def test_an_active_member_comes_before_one_who_left():
    left = member("0", "jo@a.example", ends=NOW)
    assert match_of("jo@a.example", left, JO) == Match("address", JO)
    assert match_of("jo@a.example", left) == Match("address", left)


def test_several_active_candidates_are_listed_in_order_and_none_is_picked():
    other = member("0", "jo@a.example")
    assert match_of("jo@a.example", JO, other) == Match("ambiguous", None, (other, JO))
    assert match_of("jo@a.example", JO, other, matched=JO) == Match("ambiguous", None, (other, JO))


def test_an_account_keeps_to_its_owner_whose_address_changed():
    assert match_of("jo.new@a.example", AL, matched=JO) == Match("hold", JO)


def test_a_leavers_account_does_not_move_to_who_has_the_address_now_and_shows_who_that_is():
    left = member("1", "jo@a.example", ends=NOW)
    successor = member("9", "jo@a.example")
    assert match_of("jo@a.example", left, successor, matched=left) == Match("hold", left, (successor,))


def test_a_plus_tag_is_a_hint_and_no_match():
    assert match_of("jo+x@a.example", JO) == Match("none", None, (JO,))


def test_nobody_matches_an_account_without_an_address():
    assert match_of(None, JO) == Match("none")


@pytest.mark.parametrize(
    ("by", "who", "kept"),
    [("address", JO, True), ("alias", JO, True), ("link", JO, False), ("hold", JO, False), ("none", None, False)],
)
def test_only_a_match_by_address_is_kept_to(by: str, who: StaffMember | None, kept: bool):
    assert is_kept(Match(by, who), NOW) is kept


def test_nobody_keeps_to_one_who_had_left_when_matched():
    assert not is_kept(Match("address", member("1", "jo@a.example", ends=NOW)), NOW)


def test_employment_lasts_until_its_end_and_not_at_it():
    assert active(member("1", ends=NOW + 1), NOW)
    assert not active(member("1", ends=NOW), NOW)


@pytest.mark.parametrize(
    ("address", "form"),
    [
        (" Jo.Lind@Acme.Example ", "jo.lind@acme.example"),
        ("jo@Bücher.example", "jo@xn--bcher-kva.example"),
        ("JO+Tag@acme.example", "jo+tag@acme.example"),
        ("jo@intranet", "jo@intranet"),
        ("jo@acme.test", "jo@acme.test"),
        ("e\u0301@acme.example", "é@acme.example"),
        ("", None), ("jo", None), ("jo@", None), ("@acme.example", None), ("a b@acme.example", None), ("jo@@acme.example", None),
    ],
)  # fmt: skip
def test_an_address_has_one_comparable_form_or_none(address: str, form: str | None):
    assert normal(address) == form


def test_alias_and_tag_are_read_from_the_comparable_form():
    assert aliased("jo@b.example", {"b.example": "a.example"}) == "jo@a.example"
    assert aliased("jo@c.example", {"b.example": "a.example"}) is None
    assert untagged("jo+x+y@a.example") == "jo@a.example"
    assert untagged("+x@a.example") is None
    assert untagged("jo@a.example") is None
