"""`exempt revoke`: an exemption ends now."""

import time

import click

from schemas.access.facts import Fact, Grant
from schemas.errors import BadConfiguration
from streams.cli.decisions.carry_out import DecisionReport, carry_out, show
from streams.cli.decisions.exemptions import KINDS, REVOKED, of_id, standing_grants
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.options import Deciding, deciding, tenant_option
from streams.cli.decisions.requester import made_by
from streams.cli.lines import print_line
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
    reports, others = run(_revoke(settings, tenant_of(settings.tenancy, tenant), grant, how))
    show(ctx, reports, "no longer exempt by this grant" if others else "no longer exempt", as_json=how.as_json)
    for other in others:
        print_line(f"{other} is about the same check, and stands: revoke it too, or `exempt list` shows until when", err=True)


async def _revoke(settings: Settings, tenant: str, id_: str, how: Deciding) -> tuple[list[DecisionReport], list[str]]:
    """Revoke a grant; return what became of that, and the ids of others for the same check that have not ended."""
    log = await DecisionLog.open(settings, tenant, how.wait)
    stand = {each.fact.grant.id: each.fact for each in standing_grants(await log.made(KINDS)) if each.fact.grant}
    if id_ not in stand:
        raise BadConfiguration(f"No exemption '{id_}' stands. `intercom-streams exempt list` shows those that do.")
    granted, now = stand.pop(id_), time.time_ns() // 1_000_000
    others = [other for other, fact in stand.items() if _subject(fact) == _subject(granted) and not _has_ended(fact, now)]
    fact = made_by(
        how.requester, how.reason, tenant=tenant, kind=REVOKED, replaces=granted.id, app_id=granted.app_id, account=granted.account,
        grant=Grant(id=id_),
    )  # fmt: skip
    return await carry_out(log, [(fact, of_id(id_))]), others


def _subject(fact: Fact) -> tuple[str | None, ...]:
    return fact.grant.check if fact.grant else None, fact.app_id, fact.account


def _has_ended(fact: Fact, now: int) -> bool:
    return fact.grant is not None and fact.grant.expires is not None and fact.grant.expires <= now
