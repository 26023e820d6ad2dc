"""`approval grant`: an account, or a person, may have access for a time, by a ticket."""

import time

import click
import msgspec

from schemas.access.facts import Grant
from streams.cli.decisions.approvals import GRANTED, KINDS, latest_of, next_id, of_id, same_subject
from streams.cli.decisions.carry_out import UNCHANGED, DecisionReport, carry_out, show
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.made import MadeDecision, standing
from streams.cli.decisions.options import Deciding, IdParam, NamedParam, deciding, optional_account_argument, until_option
from streams.cli.decisions.requester import made_by
from streams.cli.decisions.staff_reference import known_staff, staff_id
from streams.cli.options import kafka_of, workspace_option
from streams.cli.run_async import run
from streams.cli.time_param import TimeParam
from streams.cli.workspace import tenant_of_workspace, workspace_in
from streams.settings import Settings


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an approval is for: an account, or somebody of the staff (as the operator names them) in one workspace or in all."""

    tenant: str
    app_id: str | None
    account: str | None
    person: str | None


@click.command()
@optional_account_argument
@click.option("--person", metavar="ID", help="Instead of ACCOUNT: for somebody of the staff, as SOURCE/RECORD or by id.")
@click.option("--anywhere", is_flag=True, help="With --person: in every workspace.")
@click.option("--ticket", type=NamedParam(), metavar="ID", required=True, help="The ticket that was approved.")
@until_option
@click.option("--no-end", is_flag=True, help="It has no end.")
@click.option("--from", "starts", type=TimeParam(), metavar="TIME", help="When it begins. Default: now.")
@click.option("--approver", type=IdParam(), metavar="ID", help="Who approved it, where the ticket does not say so.")
@click.option("--id", "id_", type=NamedParam(), metavar="ID", help="Its id. Default: one that follows from whom it is for.")
@click.option(
    "--replaces", metavar="DECISION", help="The decision about the same --id that you know. Default: the one that stands."
)
@workspace_option
@deciding
@click.pass_context
def grant(
    ctx: click.Context, *, account: str | None, person: str | None, anywhere: bool, ticket: str, until: int | None, no_end: bool,
    starts: int | None, approver: str | None, id_: str | None, replaces: str | None, workspace: str | None, how: Deciding,
) -> None:  # fmt: skip
    """Approve access of ACCOUNT, or of a person, where the policy of the workspace is `ticket`. It passes until the end."""
    if (account is None) == (person is None):
        raise click.UsageError("Say whom it is for: ACCOUNT, or --person ID.")
    if anywhere and person is None:
        raise click.UsageError("--anywhere goes with --person: an account belongs to one workspace.")
    if (until is None) != no_end:
        raise click.UsageError("Give the end with --until TIME, or --no-end.")
    if until is not None and until <= max(time.time_ns() // 1_000_000, starts or 0):
        raise click.BadParameter("is in the past, or before it begins", param_hint="--until")
    settings = kafka_of(ctx)
    tenant = tenant_of_workspace(settings.tenancy, workspace)
    app_id = None if anywhere else workspace_in(settings.tenancy, tenant, workspace)
    approved = Approved(tenant=tenant, app_id=app_id, account=account, person=person)
    content = Grant(id=id_ or "", starts=starts, expires=until, ticket=ticket, approver=approver)
    reports = run(_grant(settings, approved, content, replaces, how))
    show(ctx, reports, f"approved by ticket {ticket}", as_json=how.as_json)


def _same(made: list[MadeDecision], granted: list[MadeDecision], content: Grant, how: Deciding) -> MadeDecision | None:
    """Return an approval for the same subject with the same content that was not revoked, and has not ended."""
    if content.expires is not None and content.expires <= time.time_ns() // 1_000_000:
        return None
    for each in granted:
        grant, reason = each.fact.grant, each.fact.person.text if each.fact.person else None
        if grant is None or (msgspec.structs.replace(grant, id=""), reason) != (content, how.reason):
            continue
        if standing(one for one in made if one.fact.grant is not None and one.fact.grant.id == grant.id) is each:
            return each
    return None


async def _grant(
    settings: Settings, approved: Approved, content: Grant, replaces: str | None, how: Deciding
) -> list[DecisionReport]:
    tenant, app_id, account = approved.tenant, approved.app_id, approved.account
    staff = staff_id(await known_staff(settings, tenant), approved.person) if approved.person is not None else None
    log = await DecisionLog.open(settings, tenant, how.wait)
    made, same = await log.made(KINDS), same_subject(tenant, app_id, account, staff)
    granted = [each for each in made if each.fact.kind in same.kinds and same.about(each.fact)]
    if content.id == "" and (stands := _same(made, granted, content, how)) is not None:
        return [DecisionReport.of(stands.fact, UNCHANGED, stands)]
    id_ = content.id or next_id(granted, tenant, app_id, account, staff)
    before = None if replaces else latest_of(made, id_)
    fact = made_by(
        how.requester, how.reason, tenant=tenant, kind=GRANTED, replaces=replaces or (before.id if before else None), app_id=app_id,
        account=account, grant=msgspec.structs.replace(content, id=id_), **({"staff": staff} if staff else {}),
    )  # fmt: skip
    return await carry_out(log, [(fact, of_id(id_))])
