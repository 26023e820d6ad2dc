"""`access list`: who has access, and what each check answers about them."""

import csv
import sys
import time
from collections.abc import Collection

import click

from schemas.access.findings import CheckState
from schemas.json_lines import json_line
from streams.cli.access.known import NOTHING_KNOWN, check_workspace, outdated
from streams.cli.access.lines import AccessLine, is_wanted, lines_of
from streams.cli.access.teammates import Teammate, teammates_of
from streams.cli.decisions.answers import in_order, states_of
from streams.cli.decisions.options import tenant_option
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tables import TextTable, print_table
from streams.cli.tenant import tenant_of
from streams.core.access.checks.table import CHECKS
from streams.ops.codec import configured_codec
from streams.ops.reports.csv_form import harmless
from streams.settings import Settings

RESULTS = ("PASS", "FAIL", "DUE", "UNKNOWN", "EXEMPT")


@click.command("list")
@click.option("--workspace", metavar="APP_ID", help="Only of this workspace.")
@click.option(
    "--check", metavar="CHECK", type=click.Choice(list(CHECKS), case_sensitive=False), help="Only what this check answers about."
)
@click.option(
    "--result",
    type=click.Choice(RESULTS, case_sensitive=False),
    multiple=True,
    help="Only those with this result; may be repeated.",
)
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, one line for each account.")
@tenant_option
@json_option
@config_option
@click.pass_context
def list_access(
    ctx: click.Context, *, workspace: str | None, check: str | None, result: tuple[str, ...], as_csv: bool, tenant: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Show every account that has access, and the workspaces, with what each check answers."""
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other.")
    settings = kafka_of(ctx)
    tenant_id = tenant_of(settings.tenancy, tenant)
    states, teammates = run(_read(settings, tenant_id))
    rows = in_order(states)
    check_workspace(settings.tenancy, tenant_id, workspace, rows)
    found = [line for line in lines_of(rows, teammates) if workspace in (None, line.app_id)]
    lines = [line for line in found if is_wanted(line, check, result)]
    shown = sorted({name for line in lines for name in line.checks}, key=list(CHECKS).index)
    if as_json:
        for line in lines:
            click.echo(json_line(line))
    elif as_csv:
        _write_csv(lines, shown)
    elif lines:
        _print(lines, shown)
    if not lines:
        click.echo("no account, and no workspace, has such an answer" if found else NOTHING_KNOWN, err=True)
    if note := outdated(states, time.time_ns() // 1_000_000):
        click.echo(note, err=True)


async def _read(settings: Settings, tenant: str) -> tuple[list[CheckState], dict[tuple[str, str], Teammate]]:
    avro = await configured_codec(settings)
    return await states_of(settings, avro, tenant), await teammates_of(settings, avro, tenant)


def _write_csv(lines: Collection[AccessLine], shown: Collection[str]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(
        [
            "workspace",
            "account",
            "name",
            "address",
            "role",
            *(f"{name} {part}" for name in shown for part in ("result", "reason")),
        ]
    )
    for line in lines:
        answers = [(line.checks[name].result, line.checks[name].reason) if name in line.checks else ("", "") for name in shown]
        described = (line.app_id, line.account, line.name, line.address, line.role)
        writer.writerow([harmless(text) for text in (*described, *(part for answer in answers for part in answer))])


def _print(lines: Collection[AccessLine], shown: Collection[str]) -> None:
    table = TextTable("workspace", "account", "who", "role", *shown)
    for line in lines:
        answers = [line.checks[name].result if name in line.checks else "" for name in shown]
        table.add_row(line.app_id, line.account or "-", line.address or line.name or "", line.role or "", *answers)
    print_table(table)
