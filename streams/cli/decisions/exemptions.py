"""Exemptions as they were decided, for those who grant and revoke them."""

from typing import Final, NamedTuple

from schemas.access.facts import Fact
from schemas.ids import derived
from streams.cli.decisions.carry_out import Matter
from streams.cli.decisions.made import APPLIED, MadeDecision

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
    """Return the grants that are not revoked, of all decisions about exemptions in the order of the log."""
    latest: dict[str, MadeDecision] = {}
    for each in made:
        if each.outcome == APPLIED and each.fact.grant is not None:
            latest[each.fact.grant.id] = each
    return [each for each in latest.values() if each.fact.kind == GRANTED]
