"""`account undo`: the last decision about an account is taken back, and what stood before it holds again."""

import click

from schemas.errors import BadConfiguration
from streams.cli.decisions.account import CLASSES, LINKS, Wanted, content_of
from streams.cli.decisions.for_accounts import AccountDecider
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.made import APPLIED
from streams.cli.decisions.options import Deciding, deciding
from streams.cli.options import kafka_of, workspace_option
from streams.cli.run_async import run
from streams.cli.workspace import workspace_of
from streams.settings import Settings


@click.command()
@click.argument("account")
@workspace_option
@deciding
@click.pass_context
def undo(ctx: click.Context, *, account: str, workspace: str | None, how: Deciding) -> None:
    """Take back the last decision about ACCOUNT, a link or a classification; what stood before it holds again."""
    settings = kafka_of(ctx)
    app_id, tenant = workspace_of(settings.tenancy, workspace)
    wanted = run(_before(settings, tenant, app_id, account))
    AccountDecider(settings, tenant, how).decide(ctx, [wanted], "as before the last decision")


async def _before(settings: Settings, tenant: str, app_id: str, account: str) -> Wanted:
    """Return what held before the last decision about an account."""
    log = await DecisionLog.open(settings, tenant)
    made = await log.made((*LINKS, *CLASSES), lambda fact: (fact.app_id, fact.account) == (app_id, account))
    decided = [each.fact for each in made if each.outcome == APPLIED]
    if not decided:
        raise BadConfiguration(f"Nothing was decided about account {account} of {app_id}, so nothing can be undone.")
    kinds = LINKS if decided[-1].kind in LINKS else CLASSES
    earlier = [fact for fact in decided[:-1] if fact.kind in kinds]
    return Wanted(app_id, account, content_of(earlier[-1] if earlier else None), kinds)
