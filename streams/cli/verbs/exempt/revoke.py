"""`exempt revoke`: an exemption ends now."""

import click

from schemas.access.facts import Grant
from schemas.errors import BadConfiguration
from streams.cli.decisions.carry_out import DecisionReport, carry_out, show
from streams.cli.decisions.exemptions import KINDS, REVOKED, of_id, standing_grants
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.options import Deciding, deciding, tenant_option
from streams.cli.decisions.requester import made_by
from streams.cli.options import kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.settings import Settings


@click.command()
@click.argument("grant")
@tenant_option
@deciding
@click.pass_context
def revoke(ctx: click.Context, *, grant: str, tenant: str | None, how: Deciding) -> None:
    """End the exemption GRANT now: its finding fails again. `exempt list` shows the ids."""
    settings = kafka_of(ctx)
    reports = run(_revoke(settings, tenant_of(settings.tenancy, tenant), grant, how))
    show(ctx, reports, "no longer exempt", as_json=how.as_json)


async def _revoke(settings: Settings, tenant: str, id_: str, how: Deciding) -> list[DecisionReport]:
    log = await DecisionLog.open(settings, tenant, how.wait)
    made = [each for each in standing_grants(await log.made(KINDS)) if each.fact.grant and each.fact.grant.id == id_]
    if not made:
        raise BadConfiguration(f"No exemption '{id_}' stands. `intercom-streams exempt list` shows those that do.")
    granted = made[0].fact
    fact = made_by(
        how.requester, how.reason, tenant=tenant, kind=REVOKED, replaces=granted.id, app_id=granted.app_id, account=granted.account,
        grant=Grant(id=id_),
    )  # fmt: skip
    return await carry_out(log, [(fact, of_id(id_))])
