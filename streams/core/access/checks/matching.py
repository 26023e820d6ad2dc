"""Who owns an account? An explicit link decides, then the exact address, then an alias domain; a match by address is kept by ids.

The first rule that finds a person decides. Several active candidates are ambiguous: all are listed and none is picked. An account keeps
its match while its presence lasts: a renamed address does not lose the owner, and a leaver's account does not move by itself to the next
holder of the address. A similar address matches nobody; it is a hint for an operator.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from streams.core.access.state.addresses import aliased, untagged
from streams.core.access.state.staff import StaffMember

Find = Callable[[str], Iterable[StaffMember]]


class Match(NamedTuple):
    """`by` is link, address, alias, hold, ambiguous or none; `candidates` are others to choose from."""

    by: str
    member: StaffMember | None = None
    candidates: tuple[StaffMember, ...] = ()


def match(
    *, link: StaffMember | None, matched: StaffMember | None, address: str | None, find: Find, aliases: Mapping[str, str], at: int
) -> Match:
    """Match an account at an instant (ms). `find` returns the staff members known under a normal address."""
    if link is not None:
        return Match("link", link)
    by, candidates = _candidates(address, find, aliases)
    chosen = _choose(by, candidates, at)
    if matched is None or chosen.by == "ambiguous" or chosen.member == matched:
        return chosen if candidates else _hinted(matched, address, find)
    return Match("hold", matched, () if chosen.member is None else (chosen.member,))


def is_kept(match: Match, at: int) -> bool:
    """Say whether the account keeps this match from now on: one by address with an active person."""
    return match.by in ("address", "alias") and match.member is not None and active(match.member, at)


def active(member: StaffMember, at: int) -> bool:
    """Say whether employment has not ended."""
    return member.ends is None or member.ends > at


def _candidates(address: str | None, find: Find, aliases: Mapping[str, str]) -> tuple[str, list[StaffMember]]:
    if address is not None:
        for by, form in (("address", address), ("alias", aliased(address, aliases))):
            members = sorted(find(form), key=lambda member: member.id) if form else []
            if members:
                return by, members
    return "none", []


def _choose(by: str, candidates: list[StaffMember], at: int) -> Match:
    employed = [member for member in candidates if active(member, at)] or candidates
    if len(employed) > 1:
        return Match("ambiguous", candidates=tuple(employed))
    return Match(by, employed[0]) if employed else Match("none")


def _hinted(matched: StaffMember | None, address: str | None, find: Find) -> Match:
    if matched is not None:
        return Match("hold", matched)
    bare = untagged(address) if address else None
    return Match("none", candidates=tuple(sorted(find(bare), key=lambda member: member.id)) if bare else ())
