"""`exempt grant`: accept a failing check, with a reason, somebody else who approves it, and an end."""

import time
from hashlib import sha256
from pathlib import Path
from typing import Final

import click
import msgspec

from schemas.access.facts import Grant
from streams.cli.decisions.answers import answer_about, answers_of
from streams.cli.decisions.carry_out import DecisionReport, carry_out, show
from streams.cli.decisions.exemptions import GRANTED, ExemptionSubject, of_id
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.options import Deciding, IdParam, deciding, until_option
from streams.cli.decisions.requester import made_by
from streams.cli.options import kafka_of, workspace_option
from streams.cli.run_async import run
from streams.cli.time_param import TimeParam
from streams.cli.workspace import workspace_of
from streams.core.access.checks.check import AccountCheck
from streams.core.access.checks.table import CHECKS
from streams.settings import Settings

_NO_OWNER: Final = ("C1", "C5")  # checks of accounts that nobody owns


@click.command()
@click.argument("check", type=click.Choice(list(CHECKS), case_sensitive=False))
@click.argument("account", required=False)
@click.option(
    "--approver", type=IdParam(), metavar="ID", required=True, help="Who approves it: somebody else than the one who asks."
)
@until_option
@click.option("--no-end", is_flag=True, help="It has no end.")
@click.option("--from", "starts", type=TimeParam(), metavar="TIME", help="When it begins. Default: now.")
@click.option("--evidence", type=click.Path(dir_okay=False, path_type=Path), help="A file whose SHA-256 is kept.")
@workspace_option
@deciding
@click.pass_context
def grant(
    ctx: click.Context, *, check: str, account: str | None, approver: str, until: int | None, no_end: bool, starts: int | None,
    evidence: Path | None, workspace: str | None, how: Deciding,
) -> None:  # fmt: skip
    """Exempt ACCOUNT from CHECK; a check of workspaces has no ACCOUNT. The finding stays open, suppressed, and fails again at the end.

    It is void once what it was given for changes: the account's role, classification or owner, the end of employment (C2), the person's
    roles (C4), the account's addresses (C1).
    """
    if (until is None) != no_end:
        raise click.UsageError("Give the end with --until TIME, or --no-end.")
    digest = _digest(evidence) if evidence else None
    content = Grant(id="", check=check, starts=starts, expires=until, approver=approver, evidence_sha256=digest)
    _refuse(content, account, how)
    settings = kafka_of(ctx)
    app_id, tenant = workspace_of(settings.tenancy, workspace)
    reports, before = run(_grant(settings, ExemptionSubject(tenant, check, app_id, account), content, how))
    show(ctx, reports, f"exempt from {check}, which was {before}", as_json=how.as_json)


def _refuse(content: Grant, account: str | None, how: Deciding) -> None:
    check, approver = content.check or "", content.approver or ""
    if isinstance(CHECKS[check], AccountCheck) != (account is not None):
        advice = "an account: give ACCOUNT" if account is None else "a workspace: leave ACCOUNT out"
        raise click.UsageError(f"{check} is about {advice}.")
    if not (how.reason or "").strip():
        raise click.BadParameter("is empty; an exemption needs a reason", param_hint="--reason")
    if how.requester.is_called(approver):
        raise click.BadParameter("is the one who asks; somebody else has to approve it", param_hint="--approver")
    if content.expires is not None and content.expires <= max(time.time_ns() // 1_000_000, content.starts or 0):
        raise click.BadParameter("is in the past, or before it begins", param_hint="--until")


def _digest(file: Path) -> str:
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise click.BadParameter(f"{file.name} cannot be read: {error.strerror}", param_hint="--evidence") from None


async def _grant(
    settings: Settings, subject: ExemptionSubject, content: Grant, how: Deciding
) -> tuple[list[DecisionReport], str]:
    """Grant the exemption; return what became of it, and what the check's result was before."""
    log = await DecisionLog.open(settings, subject.tenant, how.wait)
    answer = answer_about(await answers_of(settings, log.avro, subject.tenant), subject.check, subject.app_id, subject.account)
    id_ = subject.next_id(await log.made(*subject.matter))
    named = {"staff": answer.staff} if answer and answer.staff and subject.check not in _NO_OWNER else {}
    fact = made_by(
        how.requester, how.reason, tenant=subject.tenant, kind=GRANTED, replaces=None, app_id=subject.app_id,
        account=subject.account, grant=msgspec.structs.replace(content, id=id_), **named,
    )  # fmt: skip
    return await carry_out(log, [(fact, of_id(id_))]), answer.result if answer else "not known"
