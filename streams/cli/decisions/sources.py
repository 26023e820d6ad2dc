"""`staff decide`: which of two contradicting sources is right about somebody's employment."""

from functools import partial

import click

from schemas.access.facts import Fact, StaffChoice
from schemas.errors import BadConfiguration
from streams.cli.decisions.carry_out import UNCHANGED, DecisionReport, Matter, carry_out, show
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.made import MadeDecision, standing
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
    staff = staff_id(known, given)
    person = known.person(tenant, staff)
    sources = sorted({name.partition("/")[0] for name in person.values()})
    if source is not None and source not in sources:
        raise BadConfiguration(
            f"No record of {given} is of a source '{source}', as far as a worker has joined records, so it says nothing about their "
            f"employment. Its sources: {', '.join(sources)}."
        )
    log = await DecisionLog.open(settings, tenant, how.wait)
    made = await log.made((KIND,), lambda fact: fact.staff in person)
    stands = {id_: before for id_ in person if (before := standing(each for each in made if each.fact.staff == id_))}
    in_force = {id_: before for id_, before in stands.items() if _source(before) is not None}
    last = max(in_force.values(), key=lambda each: each.taken, default=None)
    if (_source(last) if last else None) == source:
        return [DecisionReport.of(last.fact, UNCHANGED, last)] if last else [DecisionReport.unneeded(tenant, KIND)]
    decided = [staff] if source is not None else list(in_force)  # to take it back is to let no record's decision stand
    facts = [
        made_by(
            how.requester, how.reason, tenant=tenant, kind=KIND, replaces=stands[id_].fact.id if id_ in stands else None, staff=id_,
            choice=StaffChoice(field=EMPLOYMENT, source=source),
        )
        for id_ in decided
    ]  # fmt: skip
    return await carry_out(log, [(fact, Matter((KIND,), partial(_is_about, fact.staff))) for fact in facts])


def _is_about(staff: str | None, fact: Fact) -> bool:
    return fact.staff == staff


def _source(made: MadeDecision) -> str | None:
    return made.fact.choice.source if made.fact.choice else None
