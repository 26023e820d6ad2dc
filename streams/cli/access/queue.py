"""`access queue`: the accounts that nobody is known to own, with who might, and why it is not decided."""

from typing import Any, Final

import click
import msgspec

from connectors.kafka.topic_end import read_to_end
from schemas.access.findings import CandidateData, Finding
from schemas.codec import Avro
from schemas.json_lines import json_line
from schemas.message import header
from streams.cli.decisions.answers import answers_of
from streams.cli.decisions.options import tenant_option
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.core.access.checks.identified import IDENTIFIED
from streams.ops.codec import configured_codec
from streams.settings import Settings

_FINDINGS: Final = "access.violations"


class QueueLine(msgspec.Struct, frozen=True, kw_only=True):
    """An account to be identified: its finding, why it is open, and those who might be the owner."""

    tenant: str
    app_id: str
    account: str
    name: str | None
    address: str | None
    result: str
    reason: str
    why: str
    finding: str
    candidates: tuple[CandidateData, ...]

    def __repr__(self) -> str:
        return f"QueueLine({self.account!r}, ***)"


@click.command()
@click.option("--workspace", metavar="APP_ID", help="Only of this workspace.")
@tenant_option
@json_option
@config_option
@click.pass_context
def queue(ctx: click.Context, *, workspace: str | None, tenant: str | None, as_json: bool) -> None:
    """Show the accounts that check C1 does not pass, each with its candidates, why it is open, and how to decide."""
    settings = kafka_of(ctx)
    lines = run(_read(settings, tenant_of(settings.tenancy, tenant)))
    lines = [line for line in lines if workspace in (None, line.app_id)]
    for line in lines:
        click.echo(json_line(line) if as_json else _text(line))
    if not lines and not as_json:
        click.echo("every account is identified")


async def _read(settings: Settings, tenant: str) -> list[QueueLine]:
    avro = await configured_codec(settings)
    answers = await answers_of(settings, avro, tenant)
    rows = {row.finding: row for row in answers if row.check == IDENTIFIED.id and row.finding and row.account}
    findings = await _findings(settings, avro, {f"admin/{row.account}" for row in rows.values()}) if rows else {}
    return [line_of(findings[uid]) for uid in rows if uid in findings]


async def _findings(settings: Settings, avro: Avro, subjects: set[str]) -> dict[str, Finding]:
    """Return the latest event of each finding about these accounts, by uid."""
    latest: dict[str, Finding] = {}

    def keep(record: Any) -> None:
        if record.value is not None and header(record.headers, "ce_subject") in subjects:
            finding = msgspec.convert(avro.decode(record.value)[1], Finding)
            before = latest.get(finding.finding_info.uid)
            if before is None or before.metadata.sequence < finding.metadata.sequence:
                latest[finding.finding_info.uid] = finding

    await read_to_end(settings.kafka, _FINDINGS, keep)
    return latest


def line_of(finding: Finding) -> QueueLine:
    """Return the line about an open finding of C1."""
    extra, person = finding.unmapped, finding.person
    known = {each.staff: each for each in person.candidates} if person else {}
    return QueueLine(
        tenant=finding.metadata.tenant_uid,
        app_id=extra.app_id,
        account=extra.account or "",
        name=person.account_name if person else None,
        address=person.account_address if person else None,
        result=extra.result or "",
        reason=extra.reason,
        why=finding.finding_info.desc,
        finding=finding.finding_info.uid,
        candidates=tuple(known.get(staff) or CandidateData(staff=staff) for staff in extra.candidates),
    )


def _text(line: QueueLine) -> str:
    who = line.address or line.name or "no address"
    lines = [f"{line.account} of {line.app_id}  {who}  {line.result} {line.reason}", f"  {line.why}"]
    lines += [f"  candidate {each.staff}  {each.name or '-'}  {', '.join(each.addresses)}" for each in line.candidates]
    return "\n".join(lines)
