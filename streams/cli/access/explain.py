"""`access explain`: the story of a teammate, fact by fact."""

from pathlib import Path
from typing import Final

import click

from schemas.access.facts import Evidence
from schemas.access.findings import FindingEvidence
from schemas.json_lines import json_line
from streams.cli.access.exported import FILES, tenant_of_files
from streams.cli.decisions.options import tenant_option
from streams.cli.lines import print_line
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.cli.verbs.backup import progress_line
from streams.core.access.reports.story.steps import StoryAnswer, StoryFinding, StoryStep
from streams.ops.codec import configured_codec
from streams.ops.ledger.access_log import FACTS
from streams.ops.ledger.explain import OnProgress, TeammateStory
from streams.ops.ledger.explain import explain as explained
from streams.ops.ledger.export import codec_of
from streams.ops.ledger.files_log import FilesLog
from streams.ops.ledger.kafka_log import kafka_log
from streams.settings import Settings

_OBSERVED: Final = ("observed", "asserted")


@click.command("explain")
@click.argument("teammate", metavar="ACCOUNT|EMAIL|SOURCE/RECORD")
@click.option("--workspace", metavar="APP_ID", help="Only the account of this workspace.")
@FILES
@click.option(
    "--all", "show_all", is_flag=True, help="Also show observations that changed nothing, which are only counted otherwise."
)
@tenant_option
@json_option
@config_option
@click.pass_context
def explain(
    ctx: click.Context, *, teammate: str, workspace: str | None, files: Path | None, show_all: bool, tenant: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Show every fact about a teammate, decision, answer and finding in order, each with its evidence.

    All facts of the tenant are processed again in memory, since a policy, a deadline or somebody else's record may have changed an answer.
    It only reads. With --files it needs no Kafka; of a backup, say with --tenant whose teammate it is.
    """
    show = progress_line("read", as_json=as_json)
    if files is not None:
        log = FilesLog.open(files)
        whose = tenant_of_files(files, tenant)
        story = run(explained(lambda: log, codec_of(files), whose, teammate, app_id=workspace, on_progress=show))
    else:
        settings = kafka_of(ctx)
        story = run(_of_kafka(settings, tenant_of(settings.tenancy, tenant), teammate, workspace, show))
    if as_json:
        click.echo(json_line(story))
        return
    for line in lines_of(story, show_all=show_all):
        print_line(line)


async def _of_kafka(settings: Settings, tenant: str, teammate: str, workspace: str | None, show: OnProgress) -> TeammateStory:
    avro = await configured_codec(settings)
    async with (
        kafka_log(settings.kafka, (FACTS,), tenant=tenant) as log,
        kafka_log(settings.kafka, (FACTS,), tenant=tenant) as again,
    ):
        logs = iter((log, again))
        return await explained(lambda: next(logs), avro, tenant, teammate, app_id=workspace, on_progress=show)


def lines_of(story: TeammateStory, *, show_all: bool) -> list[str]:
    """Return a story in words."""
    lines = [f"account {account} of workspace {app_id}" for app_id, account in story.accounts] or ["no account"]
    lines += [f"staff record {source}/{record}" for source, record in story.records]
    skipped = 0
    for step in story.steps:
        if not show_all and _is_plain(step):
            skipped += 1
            continue
        if skipped:
            lines.append(_skipped(skipped))
            skipped = 0
        lines += ["", *_step(step)]
    if skipped:
        lines += ["", _skipped(skipped)]
    lines += ["", "now"]
    lines += [
        f"  {row.check} {row.account} of {row.app_id}: {row.result} ({row.reason.replace('_', ' ')})" for row in story.answers
    ] or ["  no answer"]
    return [*lines, "", f"read: {story.facts_read:,} facts"]


def _skipped(count: int) -> str:
    return f"  … {count:,} {'observation' if count == 1 else 'observations'} that changed nothing"


def _is_plain(step: StoryStep) -> bool:
    return (
        step.basis in _OBSERVED
        and not step.answers
        and not step.findings
        and "added" not in step.kind
        and "removed" not in step.kind
    )


def _step(step: StoryStep) -> list[str]:
    by = f" by {step.by}" if step.by else ""
    true = f", true {step.time}" if step.time and step.time != step.at else ""
    lines = [f"{step.at}  {step.kind}{by}  ({step.source}, {step.basis}{true})"]
    lines += [f"  {name}: {json_line(value).decode()}" for name, value in step.says.items()]
    lines += [f"  why: {step.why}"] if step.why and step.why != step.says.get("text") else []
    lines += [f"  evidence: {_evidence(each)}" for each in step.evidence]
    lines.append(f"  fact {step.fact}, offset {step.offset}, sha256 {step.sha256}")
    if step.entry is not None:
        lines.append(f"  ledger entry {step.entry} ({step.outcome}), hash {step.hash}")
    lines += [f"  → {_answer(each)}" for each in step.answers]
    for finding in step.findings:
        lines += _finding(finding)
    return lines


def _answer(each: StoryAnswer) -> str:
    reason = f" ({each.reason.replace('_', ' ')}, since {each.since})" if each.reason else ""
    due = f", due {each.due}" if each.due else ""
    return f"{each.check} of account {each.account}: {each.before or 'no answer'} → {each.result or 'no answer'}{reason}{due}"


def _finding(each: StoryFinding) -> list[str]:
    closed = f", {each.closed_for.replace('_', ' ')}" if each.closed_for else ""
    lines = [f"  → finding {each.finding} {each.happened}{closed}: {each.message}"]
    return [*lines, *(f"      cites {_evidence(cited)}" for cited in each.evidence)]


def _evidence(each: Evidence | FindingEvidence) -> str:
    place = f"{each.topic} {each.partition}:{each.offset}" if each.topic else f"{each.file or '-'} line {each.line or '-'}"
    kind = f"{each.kind} " if isinstance(each, FindingEvidence) and each.kind else ""
    return f"{kind}{place}, sha256 {each.sha256}"
