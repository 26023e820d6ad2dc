"""Carry out decisions: replace what stands, wait for a worker, and report what came of it."""

from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple

import click
import msgspec

from schemas.access.facts import Fact
from schemas.json_lines import json_line
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.made import APPLIED, MadeDecision, sentence_about, standing
from streams.cli.lines import print_line

UNCHANGED: Final = "unchanged"  # the outcome where what stands is what was asked for

_WHY: Final = {
    "stale": "somebody decided a moment before you",
    "void": "it cannot hold",
}


class Matter(NamedTuple):
    """What decisions are about: their kinds, and which facts of these kinds."""

    kinds: tuple[str, ...]
    about: Callable[[Fact], bool]


class DecisionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a decision: `outcome` is applied, unchanged, stale or void; `instead` what stands where it is neither of the first.

    `grant` is the id of the exemption or approval that it is about.
    """

    tenant: str
    app_id: str | None
    account: str | None
    kind: str
    decision: str | None
    replaces: str | None
    outcome: str
    instead: str | None = None
    grant: str | None = None

    @classmethod
    def of(cls, fact: Fact, outcome: str, instead: MadeDecision | None = None) -> "DecisionReport":
        """Report about a decision, and about the one that stands instead."""
        return cls(
            tenant=fact.tenant, app_id=fact.app_id, account=fact.account, kind=fact.kind, decision=fact.id, replaces=fact.replaces,
            outcome=outcome, instead=sentence_about(instead) if instead else None, grant=fact.grant.id if fact.grant else None,
        )  # fmt: skip

    @classmethod
    def unneeded(cls, tenant: str, kind: str, app_id: str | None = None, account: str | None = None) -> "DecisionReport":
        """Report that nothing was decided so far, and nothing is to be taken back."""
        return cls(
            tenant=tenant, app_id=app_id, account=account, kind=kind, decision=None, replaces=None, outcome=UNCHANGED,
            instead="nothing was decided",
        )  # fmt: skip

    @property
    def is_fine(self) -> bool:
        return self.outcome in (APPLIED, UNCHANGED)

    def __repr__(self) -> str:
        return f"DecisionReport({self.decision!r}, {self.outcome!r})"


async def current(log: DecisionLog, matter: Matter) -> MadeDecision | None:
    """Return the decision about a matter that stands."""
    return standing(await log.made(matter.kinds, matter.about))


async def carry_out(log: DecisionLog, decisions: Sequence[tuple[Fact, Matter]]) -> list[DecisionReport]:
    """Append decisions, and report on each in this order; where another one stands, say which."""
    outcomes = await log.decide([fact for fact, _ in decisions])
    return [
        DecisionReport.of(fact, outcomes[fact.id], None if outcomes[fact.id] == APPLIED else await current(log, matter))
        for fact, matter in decisions
    ]


def show(ctx: click.Context, reports: Collection[DecisionReport], words: str, *, as_json: bool) -> None:
    """Print what became of decisions; exit code 1 where one of them has no effect."""
    for report in reports:
        if as_json:
            click.echo(json_line(report))
        elif report.outcome == APPLIED:
            grant = f" as {report.grant}" if report.grant else ""
            print_line(f"{_subject(report)}: {words}{grant}, by decision {report.decision}")
        elif report.outcome == UNCHANGED:
            print_line(f"{_subject(report)}: nothing to do, {report.instead}")
        else:
            stands = report.instead or "nothing stands"
            why = _WHY.get(report.outcome, report.outcome)
            print_line(f"{_subject(report)}: your decision has no effect, {why}. What stands: {stands}", err=True)
    if not all(report.is_fine for report in reports):
        ctx.exit(1)


def _subject(report: DecisionReport) -> str:
    return f"account {report.account} of {report.app_id}" if report.account else report.app_id or report.tenant
