"""`approval revoke`: an approval ends now."""

import click

from schemas.access.facts import Grant
from schemas.errors import BadConfiguration
from streams.cli.decisions.approvals import GRANTED, KINDS, REVOKED, latest_of, of_id
from streams.cli.decisions.carry_out import DecisionReport, carry_out, show
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.options import Deciding, deciding, tenant_option
from streams.cli.decisions.requester import made_by
from streams.cli.options import kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.settings import Settings


@click.command()
@click.argument("grant")
@click.option("--replaces", metavar="DECISION", help="The decision about GRANT that you know. Default: the one that stands.")
@tenant_option
@deciding
@click.pass_context
def revoke(ctx: click.Context, *, grant: str, replaces: str | None, tenant: str | None, how: Deciding) -> None:
    """End the approval GRANT now: what rests on it fails. Granting prints its id."""
    settings = kafka_of(ctx)
    reports = run(_revoke(settings, tenant_of(settings.tenancy, tenant), grant, replaces, how))
    show(ctx, reports, "no longer approved", as_json=how.as_json)


async def _revoke(settings: Settings, tenant: str, id_: str, replaces: str | None, how: Deciding) -> list[DecisionReport]:
    log = await DecisionLog.open(settings, tenant, how.wait)
    latest = latest_of(await log.made(KINDS), id_)
    if latest is None or latest.kind != GRANTED:
        raise BadConfiguration(f"No approval '{id_}' stands. `intercom-streams tail access.facts` shows those that were granted.")
    fact = made_by(
        how.requester, how.reason, tenant=tenant, kind=REVOKED, replaces=replaces or latest.id, app_id=latest.app_id,
        account=latest.account, grant=Grant(id=id_), **({"staff": latest.staff} if latest.staff else {}),
    )  # fmt: skip
    return await carry_out(log, [(fact, of_id(id_))])
