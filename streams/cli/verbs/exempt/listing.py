"""`exempt list`: the exemptions that were granted and not revoked, and which of them hold."""

import time

import click
import msgspec

from schemas.access.findings import CheckState
from schemas.cloudevents import timestamp
from schemas.json_lines import json_line
from streams.cli.decisions.answers import answer_about, answers_of
from streams.cli.decisions.exemptions import KINDS, standing_grants, state_of_made
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.made import MadeDecision
from streams.cli.decisions.options import tenant_option
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tables import TextTable, print_table
from streams.cli.tenant import tenant_of
from streams.settings import Settings


class ExemptionLine(msgspec.Struct, frozen=True, kw_only=True):
    """An exemption that was granted and not revoked; `state` is as `state_of_made` has it."""

    id: str
    check: str
    app_id: str
    account: str | None
    state: str
    starts: str | None
    expires: str | None
    approver: str | None
    asked_by: str | None
    reason: str | None
    evidence_sha256: str | None

    def __repr__(self) -> str:
        return f"ExemptionLine({self.id!r}, ***)"


@click.command("list")
@tenant_option
@json_option
@config_option
@click.pass_context
def list_exemptions(ctx: click.Context, *, tenant: str | None, as_json: bool) -> None:
    """Show the exemptions that were granted and not revoked."""
    settings = kafka_of(ctx)
    lines = run(_lines(settings, tenant_of(settings.tenancy, tenant)))
    if as_json:
        for line in lines:
            click.echo(json_line(line))
        return
    table = TextTable("id", "check", "of", "state", "until", "asked by", "approved by", "reason")
    for line in lines:
        subject = line.account or line.app_id
        table.add_row(line.id, line.check, subject, line.state, line.expires or "-", line.asked_by, line.approver, line.reason)
    print_table(table)


async def _lines(settings: Settings, tenant: str) -> list[ExemptionLine]:
    log = await DecisionLog.open(settings, tenant)
    answers = await answers_of(settings, log.avro, tenant)
    made = standing_grants(await log.made(KINDS))
    now = time.time_ns() // 1_000_000
    return [_line(each, answers, now) for each in sorted(made, key=lambda each: each.taken)]


def _line(made: MadeDecision, answers: list[CheckState], now: int) -> ExemptionLine:
    fact, grant = made.fact, made.fact.grant
    assert grant is not None
    answer = answer_about(answers, grant.check or "", fact.app_id or "", fact.account)
    return ExemptionLine(
        id=grant.id,
        check=grant.check or "",
        app_id=fact.app_id or "",
        account=fact.account,
        state=state_of_made(made, answer, now),
        starts=timestamp(grant.starts or made.taken),
        expires=timestamp(grant.expires) if grant.expires is not None else None,
        approver=grant.approver,
        asked_by=(fact.person.actor if fact.person else None) or (fact.actor.id if fact.actor else None),
        reason=fact.person.text if fact.person else None,
        evidence_sha256=grant.evidence_sha256,
    )
