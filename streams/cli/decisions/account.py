"""Decisions about accounts: whose each is, and what it is. Each replaces the one before, or takes it back."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from schemas.access.facts import Classification, Fact
from streams.cli.decisions.carry_out import UNCHANGED, DecisionReport, Matter, carry_out
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.made import MadeDecision, standing
from streams.cli.decisions.requester import Requester, made_by

LINKS: Final = ("account.linked", "account.unlinked")
CLASSES: Final = ("account.classified", "account.unclassified")


class Wanted(NamedTuple):
    """What is to hold for an account: the person's id that it is linked to, or what it is classified as; None for neither."""

    app_id: str
    account: str
    content: str | Classification | None
    kinds: tuple[str, ...]

    @property
    def matter(self) -> Matter:
        return Matter(self.kinds, lambda fact: (fact.app_id, fact.account) == (self.app_id, self.account))

    def decided(self, make: Callable[..., Fact], before: MadeDecision | None) -> Fact:
        """Return the decision, in place of the one that stands."""
        place = {"replaces": before.fact.id if before else None, "app_id": self.app_id, "account": self.account}
        if self.content is None:
            return make(kind=self.kinds[1], **place)
        part = "staff" if isinstance(self.content, str) else "classification"
        return make(kind=self.kinds[0], **{part: self.content}, **place)


class Planned(NamedTuple):
    """A decision to be made, and the one that it replaces; no decision where that one has the same content."""

    wanted: Wanted
    before: MadeDecision | None
    fact: Fact | None


async def plan(
    log: DecisionLog, wanted: Sequence[Wanted], requester: Requester, reason: str | None, tenant: str
) -> list[Planned]:
    """Return the decisions that are needed, by what stands for each account."""
    about: dict[tuple[str | None, str | None], list[MadeDecision]] = {}
    for one in await log.made((*LINKS, *CLASSES)):
        about.setdefault((one.fact.app_id, one.fact.account), []).append(one)
    found = []
    for each in wanted:
        made = about.get((each.app_id, each.account), [])
        found.append(planned(each, standing(one for one in made if one.fact.kind in each.kinds), requester, reason, tenant))
    return found


def planned(wanted: Wanted, before: MadeDecision | None, requester: Requester, reason: str | None, tenant: str) -> Planned:
    """Return the decision that is needed where another one stands."""

    def make(**parts: Any) -> Fact:
        return made_by(requester, reason, tenant=tenant, **parts)

    unchanged = content_of(before.fact if before else None) == wanted.content
    return Planned(wanted, before, None if unchanged else wanted.decided(make, before))


async def decide(log: DecisionLog, planned: Sequence[Planned], tenant: str) -> list[DecisionReport]:
    """Make the decisions, and report on each account in this order."""
    due = [(each.fact, each.wanted.matter) for each in planned if each.fact is not None]
    reports = {(report.app_id, report.account): report for report in (await carry_out(log, due) if due else [])}
    return [reports.get((each.wanted.app_id, each.wanted.account)) or _unchanged(each, tenant) for each in planned]


def content_of(fact: Fact | None) -> str | Classification | None:
    """Return what a decision about an account says holds."""
    return None if fact is None else fact.classification if fact.classification is not None else fact.staff


def _unchanged(planned: Planned, tenant: str) -> DecisionReport:
    if planned.before is not None:
        return DecisionReport.of(planned.before.fact, UNCHANGED, planned.before)
    return DecisionReport.unneeded(tenant, planned.wanted.kinds[1], planned.wanted.app_id, planned.wanted.account)
