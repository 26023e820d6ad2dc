"""Exemptions in a company's history: facts about a grant, and a leaver who is still a teammate."""

from dataclasses import dataclass, field
from typing import Any

from schemas.access.facts import Actor, Fact, FactPersonalData, Grant
from schemas.ids import derived
from tests.support.company import APP, DAY, SECOND, T0, TENANT, Company, everyone

JO = "jo@acme.example"
LOG = T0 + 10 * DAY
SOON = LOG + 60 * SECOND
LATER = LOG + 30 * DAY


@dataclass(kw_only=True)
class Exempting:
    """Facts about one grant, each replacing the one before."""

    check: str = "C2"
    id: str = "x1"
    account: str | None = "7"
    replaces: str | None = None
    parts: dict[str, Any] = field(default_factory=dict)

    def granted(self, *, expires: int | None = LATER, **how: Any) -> Fact:
        starts, reason = how.pop("starts", None), how.pop("reason", "they hand over until then")
        grant = Grant(id=self.id, check=self.check, starts=starts, expires=expires, approver=how.pop("approver", "security lead"))
        person = FactPersonalData(text=reason, actor="pat")
        return self._fact("exemption.granted", grant=grant, person=person, **how)

    def revoked(self, **how: Any) -> Fact:
        return self._fact("exemption.revoked", grant=Grant(id=self.id), **how)

    def _fact(self, kind: str, **how: Any) -> Fact:
        how = {"replaces": self.replaces, "account": self.account, "actor": Actor(kind="operator", id="pat")} | how
        how = {"app_id": APP, "source": "operator", "basis": "decided"} | how
        fact = Fact(id=derived(kind, self.id, how["replaces"], repr(how)), tenant=TENANT, kind=kind, **how)
        self.replaces = fact.id
        return fact


def leaver(role: str | None = None) -> Company:
    company = Company()
    company.policy(everyone())
    company.staff("77", JO)
    company.added("7", JO, role=role)
    company.staff("77", JO, at=T0 + DAY, ends=T0 + 5 * DAY)
    return company


def outcome(company: Company) -> str:
    """Return what became of the last fact."""
    return str(company.ledger()[-1]["outcome"])
