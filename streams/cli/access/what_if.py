"""`policy what-if`: the findings that a policy would open and close, now or since an instant, without publishing anything."""

import time
from collections.abc import Sequence
from pathlib import Path

import click

from schemas.access.facts import Policy
from schemas.access.policy_trials import PolicyTrial
from schemas.access.report_lines import ReportedFinding
from schemas.json_lines import json_line
from streams.cli.access.policy_of import policy_of
from streams.cli.access.reading import shown_progress
from streams.cli.decisions.options import tenant_option
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tables import TextTable, print_table
from streams.cli.time_param import TimeParam
from streams.ops.codec import configured_codec
from streams.ops.reports.read_log import try_policy
from streams.settings import Settings


@click.command("what-if")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--since", type=TimeParam(), metavar="TIME", help="As if it had been in force since then, in place of all others.")
@tenant_option
@json_option
@config_option
@click.pass_context
def what_if(ctx: click.Context, *, file: Path, since: int | None, tenant: str | None, as_json: bool) -> None:
    """Show the findings that the policy in FILE would open and close, by name. Nothing is published, and nobody sees it.

    With --since it is tried on the log of facts: the findings that there would have been, and those that there were and would not have been.
    """
    settings, now = kafka_of(ctx), time.time_ns() // 1_000_000
    if since is not None and since >= now:
        raise click.UsageError("--since has to be in the past: it is the log of facts on which the policy is tried")
    tenant_id, policy = policy_of(file, settings.tenancy, tenant)
    trial = run(_try(settings, tenant_id, policy, now, since))
    if as_json:
        click.echo(json_line(trial))
        return
    words = ("would open", "would close") if since is None else ("would have been", "would not have been")
    lines = [(words[0], line) for line in trial.opens] + [(words[1], line) for line in trial.closes]
    if lines:
        print_table(_table(lines, is_past=since is not None))
    click.echo(
        f"{len(trial.opens)} {words[0]}, {len(trial.closes)} {words[1]}, {trial.stays} stay as they are. Nothing was published."
    )


def _table(lines: Sequence[tuple[str, ReportedFinding]], *, is_past: bool) -> TextTable:
    table = TextTable("", "check", "workspace", "who", "result", "why", "opened", "due" if not is_past else "closed")
    for words, line in lines:
        who = line.address or line.account or "-"
        last = line.closed if is_past else line.due
        why = line.closed_for or line.reason
        table.add_row(
            words, line.check, line.workspace, who, line.result or "-", why.replace("_", " "), _second(line.opened), _second(last)
        )
    return table


def _second(at: str | None) -> str:
    return "-" if at is None else f"{at[:19]}Z"


async def _try(settings: Settings, tenant: str, policy: Policy, now: int, since: int | None) -> PolicyTrial:
    avro = await configured_codec(settings)
    with shown_progress("reading facts") as on_progress:
        return await try_policy(settings.kafka, avro, tenant, policy, now=now, since=since, on_progress=on_progress)
