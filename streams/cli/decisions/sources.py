"""`staff decide`: which of two contradicting sources is right about somebody's employment."""

import click

from schemas.access.facts import StaffChoice
from schemas.errors import BadConfiguration
from streams.cli.decisions.carry_out import UNCHANGED, DecisionReport, Matter, carry_out, current, show
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.options import Deciding, deciding, tenant_option
from streams.cli.decisions.requester import made_by
from streams.cli.decisions.staff_reference import known_staff, staff_id
from streams.cli.options import kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.core.access.facts.choices import EMPLOYMENT
from streams.settings import Settings

KIND = "staff.decided"


@click.command()
@click.argument("staff")
@click.option("--source", metavar="NAME", help="Its records say when employment ends; those of other sources do not.")
@click.option("--withdraw", is_flag=True, help="Take the decision back: every source counts again.")
@tenant_option
@deciding
@click.pass_context
def decide(ctx: click.Context, *, staff: str, source: str | None, withdraw: bool, tenant: str | None, how: Deciding) -> None:
    """Say which source is right about the employment of STAFF: SOURCE/RECORD, or an id that findings show."""
    if (source is None) != withdraw:
        raise click.UsageError("Give --source NAME, or --withdraw.")
    settings = kafka_of(ctx)
    reports = run(_decide(settings, tenant_of(settings.tenancy, tenant), staff, source, how))
    show(
        ctx,
        reports,
        f"source {source} is right about {staff}" if source else f"every source counts about {staff}",
        as_json=how.as_json,
    )


async def _decide(settings: Settings, tenant: str, given: str, source: str | None, how: Deciding) -> list[DecisionReport]:
    known = await known_staff(settings, tenant)
    if source is not None and source not in (sources := {name.partition("/")[0] for name in known.values()}):
        raise BadConfiguration(
            f"No record of a source '{source}' is in the log. Its sources: {', '.join(sorted(sources)) or 'none'}."
        )
    staff = staff_id(known, given)
    matter = Matter((KIND,), lambda fact: fact.staff == staff)
    log = await DecisionLog.open(settings, tenant, how.wait)
    before = await current(log, matter)
    if (before.fact.choice.source if before and before.fact.choice else None) == source:
        return [DecisionReport.of(before.fact, UNCHANGED, before)] if before else [DecisionReport.unneeded(tenant, KIND)]
    fact = made_by(
        how.requester, how.reason, tenant=tenant, kind=KIND, replaces=before.fact.id if before else None, staff=staff,
        choice=StaffChoice(field=EMPLOYMENT, source=source),
    )  # fmt: skip
    return await carry_out(log, [(fact, matter)])
