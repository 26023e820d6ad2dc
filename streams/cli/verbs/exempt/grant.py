"""`exempt grant`: accept a failing check, with a reason, somebody else who approves it, and an end."""

import time
from hashlib import sha256
from pathlib import Path
from typing import Final

import click
import msgspec

from schemas.access.facts import Fact, Grant
from streams.cli.decisions.answers import answer_about, answers_of
from streams.cli.decisions.carry_out import UNCHANGED, DecisionReport, carry_out, show
from streams.cli.decisions.exemptions import GRANTED, KINDS, ExemptionSubject, of_id, standing_grants, state_of_made
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.options import Deciding, IdParam, deciding, optional_account_argument, until_option
from streams.cli.decisions.requester import made_by
from streams.cli.options import kafka_of, workspace_option
from streams.cli.run_async import run
from streams.cli.time_param import TimeParam
from streams.cli.workspace import workspace_of
from streams.core.access.checks.check import AccountCheck
from streams.core.access.checks.table import CHECKS
from streams.core.normal_forms.names import seen
from streams.settings import Settings

_CHECKS: Final = [check.id for check in CHECKS.values() if check.may_be_exempt]
_HOLDS: Final = ("in force", "covered", "not begun", "waiting")  # states in which the same exemption is not granted again
_NO_OWNER: Final = ("C1", "C5")  # checks of accounts that nobody owns


@click.command()
@click.argument("check", metavar="CHECK", type=click.Choice(_CHECKS, case_sensitive=False))
@optional_account_argument
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
    if not seen(how.reason or ""):
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


def _says(fact: Fact) -> tuple[Grant | None, str | None]:
    grant = msgspec.structs.replace(fact.grant, id="") if fact.grant else None
    return grant, fact.person.text if fact.person else None


async def _grant(
    settings: Settings, subject: ExemptionSubject, content: Grant, how: Deciding
) -> tuple[list[DecisionReport], str]:
    """Grant the exemption, unless such a one holds; return what became of it, and what the check's result was before."""
    log = await DecisionLog.open(settings, subject.tenant, how.wait)
    answer = answer_about(await answers_of(settings, log.avro, subject.tenant), subject.check, subject.app_id, subject.account)
    made, now = await log.made(KINDS), time.time_ns() // 1_000_000
    granted = [each for each in made if each.fact.kind == GRANTED and subject.matter.about(each.fact)]
    for each in standing_grants(made):
        if each in granted and _says(each.fact) == (content, how.reason) and state_of_made(each, answer, now) in _HOLDS:
            return [DecisionReport.of(each.fact, UNCHANGED, each)], answer.result if answer else "not known"
    id_ = subject.next_id(granted)
    named = {"staff": answer.staff} if answer and answer.staff and subject.check not in _NO_OWNER else {}
    fact = made_by(
        how.requester, how.reason, tenant=subject.tenant, kind=GRANTED, replaces=None, app_id=subject.app_id,
        account=subject.account, grant=msgspec.structs.replace(content, id=id_), **named,
    )  # fmt: skip
    return await carry_out(log, [(fact, of_id(id_))]), answer.result if answer else "not known"
