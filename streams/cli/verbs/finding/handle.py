"""`finding ack|assign|comment`: the finding carries what is done about it, and to whom it is assigned, until it closes."""

import time

import click
import msgspec

from schemas.access.facts import Case
from schemas.ids import derived
from streams.cli.decisions.answers import answers_of, open_finding
from streams.cli.decisions.carry_out import DecisionReport, show
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.options import Deciding, IdParam, handling, saying, tenant_option
from streams.cli.decisions.requester import made_by
from streams.cli.options import kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.core.access.facts.handling import ACKNOWLEDGED, ASSIGNED, COMMENTED
from streams.settings import Settings

_finding = click.argument("finding")


@click.command()
@_finding
@tenant_option
@handling
@click.pass_context
def ack(ctx: click.Context, *, finding: str, tenant: str | None, how: Deciding) -> None:
    """Acknowledge FINDING, by its uid or the beginning of it: it is in progress until it closes."""
    _handle(ctx, Case(finding=finding, action=ACKNOWLEDGED), tenant, how)


@click.command()
@_finding
@click.option("--to", "assignee", type=IdParam(), metavar="ID", required=True, help="Who is to deal with it.")
@tenant_option
@handling
@click.pass_context
def assign(ctx: click.Context, *, finding: str, assignee: str, tenant: str | None, how: Deciding) -> None:
    """Assign FINDING to somebody."""
    _handle(ctx, Case(finding=finding, action=ASSIGNED, assignee=assignee), tenant, how)


@click.command()
@_finding
@tenant_option
@saying
@click.pass_context
def comment(ctx: click.Context, *, finding: str, tenant: str | None, how: Deciding) -> None:
    """Add the comment TEXT to FINDING."""
    _handle(ctx, Case(finding=finding, action=COMMENTED), tenant, how)


def _handle(ctx: click.Context, case: Case, tenant: str | None, how: Deciding) -> None:
    settings = kafka_of(ctx)
    report = run(_append(settings, tenant_of(settings.tenancy, tenant), case, how))
    show(ctx, [report], case.action, as_json=how.as_json)


async def _append(settings: Settings, tenant: str, case: Case, how: Deciding) -> DecisionReport:
    log = await DecisionLog.open(settings, tenant, how.wait)
    answer = open_finding(await answers_of(settings, log.avro, tenant), case.finding)
    case = msgspec.structs.replace(case, finding=answer.finding or "")
    fact = made_by(
        how.requester, how.reason, tenant=tenant, kind="finding.handled", replaces=None, app_id=answer.app_id, account=answer.account,
        case=case,
    )  # fmt: skip
    fact = msgspec.structs.replace(fact, id=derived(fact.id, time.time_ns()))  # the same comment twice is two comments
    return DecisionReport.of(fact, (await log.decide([fact]))[fact.id])
