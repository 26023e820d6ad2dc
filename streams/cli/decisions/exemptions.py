"""Exemptions as they were decided, for those who grant and revoke them."""

from typing import Final, NamedTuple

from schemas.access.facts import Fact, Grant
from schemas.access.findings import CheckState
from schemas.ids import derived
from streams.cli.decisions.carry_out import Matter
from streams.cli.decisions.made import APPLIED, MadeDecision, standing

GRANTED: Final = "exemption.granted"
REVOKED: Final = "exemption.revoked"
KINDS: Final = (GRANTED, REVOKED)
_DIGITS: Final = 10  # of an id: enough for a tenant, and short enough to type


class ExemptionSubject(NamedTuple):
    """A check of an account, or of a workspace."""

    tenant: str
    check: str
    app_id: str
    account: str | None

    @property
    def matter(self) -> Matter:
        """Return what grants for it are about."""
        return Matter((GRANTED,), self._is_about)

    def _is_about(self, fact: Fact) -> bool:
        return fact.grant is not None and (fact.grant.check, fact.app_id, fact.account) == self[1:]

    def next_id(self, granted: list[MadeDecision]) -> str:
        """Return the id of the next grant for it.

        It follows from the grants so far, so of two who grant at once the second finds the id taken, and learns what came first.
        """
        number = sum(each.outcome in (APPLIED, None) for each in granted)
        return "x" + derived("exemption", *self, number).replace("-", "")[:_DIGITS]


def of_id(id_: str) -> Matter:
    """Return what decisions about a grant are about."""
    return Matter(KINDS, lambda fact: fact.grant is not None and fact.grant.id == id_)


def standing_grants(made: list[MadeDecision]) -> list[MadeDecision]:
    """Return the grants that are not revoked, of all decisions about exemptions in the order of the log; also those that no worker has come to."""
    by_id: dict[str, list[MadeDecision]] = {}
    for each in made:
        if each.fact.grant is not None:
            by_id.setdefault(each.fact.grant.id, []).append(each)
    latest = [found for decisions in by_id.values() if (found := standing(decisions)) is not None]
    return [each for each in latest if each.fact.kind == GRANTED]


def state_of_made(made: MadeDecision, answer: CheckState | None, now: int) -> str:
    """Return the state of an exemption that stands: it waits until a worker has come to it."""
    assert made.fact.grant is not None
    return "waiting" if made.outcome is None else state_of(made.fact.grant, made.taken, answer, now)


def state_of(grant: Grant, taken: int, answer: CheckState | None, now: int) -> str:
    """Return the state of an exemption, by its time and by the answer about its subject; `taken` is when it was granted (ms).

    It is covered where the finding shows another one, and void where what it was given for has changed.
    """
    if grant.expires is not None and grant.expires <= now:
        return "ended"
    if (grant.starts or taken) > now:
        return "not begun"
    if answer is None or answer.finding is None:
        return "unneeded"
    if answer.exemption is None:
        return "void"
    return "in force" if answer.exemption == grant.id else "covered"
