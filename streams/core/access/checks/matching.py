"""To whom does an account belong? An explicit link, then the exact address, then an alias domain; what was matched so is held by ids.

The first rule that finds anybody decides. Several active candidates are ambiguous: all are listed and nobody is picked. An account keeps
to whom it was matched with while its stay lasts: a renamed address does not lose the owner, and a leaver's account does not move by
itself to whoever has the address now. Likeness links nobody; it is a hint for whoever decides.
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
    *, link: StaffMember | None, held: StaffMember | None, address: str | None, find: Find, aliases: Mapping[str, str], at: int
) -> Match:
    """Match an account at an instant. `find` gives the staff members known under a normal address."""
    if link is not None:
        return Match("link", link)
    by, found = _found(address, find, aliases)
    chosen = _choose(by, found, at)
    if held is None or chosen.by == "ambiguous" or chosen.member == held:
        return chosen if found else _hinted(held, address, find)
    return Match("hold", held, () if chosen.member is None else (chosen.member,))


def still_matches(found: Match, at: int) -> bool:
    """Say whether the account holds to this match from now on: one made by address with somebody active."""
    return found.by in ("address", "alias") and found.member is not None and active(found.member, at)


def active(member: StaffMember, at: int) -> bool:
    """Say whether employment has not ended."""
    return member.ends is None or member.ends > at


def _found(address: str | None, find: Find, aliases: Mapping[str, str]) -> tuple[str, list[StaffMember]]:
    if address is not None:
        for by, form in (("address", address), ("alias", aliased(address, aliases))):
            found = sorted(find(form), key=lambda member: member.id) if form else []
            if found:
                return by, found
    return "none", []


def _choose(by: str, found: list[StaffMember], at: int) -> Match:
    employed = [member for member in found if active(member, at)] or found
    if len(employed) > 1:
        return Match("ambiguous", candidates=tuple(employed))
    return Match(by, employed[0]) if employed else Match("none")


def _hinted(held: StaffMember | None, address: str | None, find: Find) -> Match:
    if held is not None:
        return Match("hold", held)
    bare = untagged(address) if address else None
    return Match("none", candidates=tuple(sorted(find(bare), key=lambda member: member.id)) if bare else ())
