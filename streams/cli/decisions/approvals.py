"""Approvals as they were decided, for those who grant and revoke them."""

from typing import Final

from schemas.access.facts import Fact
from schemas.ids import derived
from streams.cli.decisions.carry_out import Matter
from streams.cli.decisions.made import APPLIED, MadeDecision

GRANTED: Final = "approval.granted"
REVOKED: Final = "approval.revoked"
KINDS: Final = (GRANTED, REVOKED)
_DIGITS: Final = 10  # of an id: enough for a tenant, and short enough to type


def of_id(id_: str) -> Matter:
    """Return what decisions about an approval are about."""
    return Matter(KINDS, lambda fact: fact.grant is not None and fact.grant.id == id_)


def same_subject(tenant: str, app_id: str | None, account: str | None, staff: str | None) -> Matter:
    """Return what approvals for an account, or for a person, are about."""
    subject = (tenant, app_id, account, staff)
    return Matter((GRANTED,), lambda fact: (fact.tenant, fact.app_id, fact.account, fact.staff) == subject)


def next_id(granted: list[MadeDecision], *subject: str | None) -> str:
    """Return the id of the next approval for a subject.

    It follows from those so far, so of two who grant at once the second finds the id taken, and learns what came first.
    """
    number = sum(each.outcome in (APPLIED, None) for each in granted)
    return "a" + derived("approval", *(part or "" for part in subject), number).replace("-", "")[:_DIGITS]


def latest_of(made: list[MadeDecision], id_: str) -> Fact | None:
    """Return the latest decision about an approval that was applied, of all in the order of the log."""
    applied = [each.fact for each in made if each.outcome == APPLIED and each.fact.grant and each.fact.grant.id == id_]
    return applied[-1] if applied else None
