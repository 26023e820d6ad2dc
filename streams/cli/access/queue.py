"""`access queue`: the accounts that nobody is known to own, with who might, and why it is not decided."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import click
import msgspec

from connectors.kafka.topic_end import read_to_end
from schemas.access.findings import CandidateData, CheckState, Finding
from schemas.codec import Avro
from schemas.json_lines import json_line
from schemas.message import header
from streams.cli.access.known import NOTHING_KNOWN, check_workspace, outdated
from streams.cli.access.teammates import Teammate, teammates_of
from streams.cli.decisions.answers import in_order, states_of
from streams.cli.decisions.options import tenant_option
from streams.cli.lines import print_lines
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.core.access.checks.check import PASS, UNKNOWN_REASONS
from streams.core.access.checks.identified import IDENTIFIED
from streams.core.access.findings.render import description
from streams.ops.codec import configured_codec
from streams.settings import Settings

_FINDINGS: Final = "access.violations"
_OF_WORKSPACE: Final = (
    "unmonitored",
    "workspace_silent",
)  # reasons that are the whole workspace's: no decision about an account ends them
_HOW: Final = (
    "Decide whose each is, `intercom-streams account link ACCOUNT STAFF --reason TEXT`, or what it is, `account classify ACCOUNT KIND`; "
    "or add the address to a staff source, or remove the teammate."
)
_ALL_IDENTIFIED: Final = "every account is identified"


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
    finding: str | None
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
    queued = run(_read(settings, tenant_of(settings.tenancy, tenant), workspace))
    for line in queued.lines:
        if as_json:
            click.echo(json_line(line))
        else:
            print_lines(*_texts(line))
    if queued.lines and not as_json:
        click.echo(_HOW)
    for words in _of_others(queued):
        click.echo(words, err=as_json or words != _ALL_IDENTIFIED)
    if queued.note:
        click.echo(queued.note, err=True)


class _Queued(NamedTuple):
    """The accounts that C1 does not pass, of how many others it does, and of how many it is not known because of their whole workspace."""

    lines: list[QueueLine]
    identified: int
    unknown: Counter[tuple[str, str]]  # by workspace and reason
    note: str | None  # that these are old answers


def _of_others(queued: _Queued) -> list[str]:
    found = [
        f"of {count:,} accounts of {app_id} it is not known whether they are identified: {UNKNOWN_REASONS[reason]}"
        for (app_id, reason), count in sorted(queued.unknown.items())
    ]
    if queued.lines or found:
        return found
    return [_ALL_IDENTIFIED if queued.identified else NOTHING_KNOWN]


async def _read(settings: Settings, tenant: str, workspace: str | None) -> _Queued:
    avro = await configured_codec(settings)
    states = await states_of(settings, avro, tenant)
    answers = in_order(states)
    check_workspace(settings.tenancy, tenant, workspace, answers)
    asked = [row for row in answers if row.check == IDENTIFIED.id and row.account and workspace in (None, row.app_id)]
    of_whole = Counter((row.app_id, row.reason) for row in asked if row.reason in _OF_WORKSPACE and not row.finding)
    rows = [row for row in asked if row.result != PASS and (row.finding or row.reason not in _OF_WORKSPACE)]
    findings = await _findings(settings, avro, {f"admin/{row.account}" for row in rows if row.finding}) if rows else {}
    described = await teammates_of(settings, avro, tenant) if any(row.finding not in findings for row in rows) else {}
    lines = [line_of(findings[row.finding]) if row.finding in findings else _without_finding(row, described) for row in rows]
    identified = sum(row.result == PASS for row in asked)
    return _Queued(lines, identified, of_whole, outdated(states, time.time_ns() // 1_000_000))


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


def _without_finding(row: CheckState, described: Mapping[tuple[str, str], Teammate]) -> QueueLine:
    """Return the line about an account of which it is not known whether it is identified, and never was that it is not."""
    known = described.get((row.app_id, row.account or ""), Teammate())
    return QueueLine(
        tenant=row.tenant, app_id=row.app_id, account=row.account or "", name=known.name, address=known.address, result=row.result,
        reason=row.reason, why=description(IDENTIFIED, row.reason, {}), finding=None, candidates=(),
    )  # fmt: skip


def _texts(line: QueueLine) -> list[str]:
    who = line.address or line.name or "no address"
    lines = [f"{line.account} of {line.app_id}  {who}  {line.result} {line.reason}", f"  {line.why}"]
    return lines + [f"  candidate {each.staff}  {each.name or '-'}  {', '.join(each.addresses)}" for each in line.candidates]
