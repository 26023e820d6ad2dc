"""`account undo`: the last decision about an account is taken back, and what stood before it holds again."""

import click

from schemas.errors import BadConfiguration
from streams.cli.decisions.account import CLASSES, LINKS, Wanted, content_of, decide, planned
from streams.cli.decisions.carry_out import DecisionReport, show
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.made import MadeDecision, standing
from streams.cli.decisions.options import Deciding, account_argument, deciding
from streams.cli.options import kafka_of, workspace_option
from streams.cli.run_async import run
from streams.cli.workspace import workspace_of
from streams.settings import Settings


@click.command()
@account_argument
@workspace_option
@deciding
@click.pass_context
def undo(ctx: click.Context, *, account: str, workspace: str | None, how: Deciding) -> None:
    """Take back the last decision about ACCOUNT, a link or a classification; what stood before it holds again."""
    settings = kafka_of(ctx)
    app_id, tenant = workspace_of(settings.tenancy, workspace)
    reports = run(_undo(settings, tenant, app_id, account, how))
    show(ctx, reports, "as before the last decision", as_json=how.as_json)


async def _undo(settings: Settings, tenant: str, app_id: str, account: str, how: Deciding) -> list[DecisionReport]:
    """Decide what held before the last decision about an account, in place of that one alone: what was decided since stands."""
    log = await DecisionLog.open(settings, tenant, how.wait)
    made = await log.made((*LINKS, *CLASSES), lambda fact: (fact.app_id, fact.account) == (app_id, account))
    counted = sorted((each for kinds in (LINKS, CLASSES) for each in _counting(made, kinds)), key=made.index)
    if not counted:
        raise BadConfiguration(f"Nothing was decided about account {account} of {app_id}, so nothing can be undone.")
    last = counted[-1]
    kinds = LINKS if last.fact.kind in LINKS else CLASSES
    earlier = [each.fact for each in counted[:-1] if each.fact.kind in kinds]
    wanted = Wanted(app_id, account, content_of(earlier[-1] if earlier else None), kinds)
    return await decide(log, [planned(wanted, last, how.requester, how.reason, tenant)], tenant)


def _counting(made: list[MadeDecision], kinds: tuple[str, ...]) -> list[MadeDecision]:
    """Return the decisions of some kinds that took effect, or will once a worker comes to them."""
    of_kinds = [each for each in made if each.fact.kind in kinds]
    return [each for number, each in enumerate(of_kinds, start=1) if standing(of_kinds[:number]) is each]
