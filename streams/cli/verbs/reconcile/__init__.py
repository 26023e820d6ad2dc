"""`reconcile`: compare the tables with Intercom, repair them, and report how complete they were."""

import sys
import time
from collections.abc import Callable
from typing import Final

import click

from schemas.cloudevents import timestamp
from schemas.json_lines import json_line
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, settings_of, workspace_option
from streams.cli.rest_client import rest_client
from streams.cli.run_async import run
from streams.cli.verbs.backfill.read_workspace import readable_workspace
from streams.ops.codec import configured_codec
from streams.ops.reconcile.report import ObjectReport, ReconciliationReport, reports
from streams.ops.reconcile.run import OnProgress, ReconciliationPlan
from streams.ops.reconcile.run import reconcile as reconcile_workspace
from streams.ops.reconcile.types import RECONCILED_TYPES
from streams.settings import Settings

_SAY_EVERY_S: Final = 1.0
_GONE: Final = ("archived", "merged", "deleted")


@click.command()
@workspace_option
@click.option(
    "--object", "objects", multiple=True, type=click.Choice(tuple(RECONCILED_TYPES)), help="Only this type of object; may be repeated."
)  # fmt: skip
@click.option("--list", "list_all", is_flag=True, help="Show all reconciliations, and what they found.")
@json_option
@config_option
@click.pass_context
def reconcile(ctx: click.Context, *, workspace: str | None, objects: tuple[str, ...], list_all: bool, as_json: bool) -> None:
    """Compare the tables with Intercom's contacts and companies, and with conversations and tickets that were read once; repair what differs, and report why it did.

    It reads all of Intercom's lists, and asks by id for what is in the tables and in no list: it was archived, merged or deleted. What differs is
    written to the inbound topics, where webhooks go. The workers have to be running. Exits with 1 where something is not right even then.
    """
    settings = settings_of(ctx)
    if list_all:
        for report in run(_all(settings)):
            _print(report, as_json=as_json)
        return
    report = run(_reconcile(settings, workspace, objects, _progress(as_json=as_json)))
    _print(report, as_json=as_json)
    if not report.complete:
        sys.exit(1)


async def _reconcile(
    settings: Settings, workspace: str | None, objects: tuple[str, ...], on_progress: OnProgress
) -> ReconciliationReport:
    app_id, _ = readable_workspace(settings, workspace)
    avro = await configured_codec(settings)
    plan = ReconciliationPlan(objects=tuple(dict.fromkeys(objects)), actor=user_name())
    async with rest_client(settings, app_id) as client:
        return await reconcile_workspace(settings.kafka, avro, settings.tenancy, client, plan, on_progress=on_progress)


async def _all(settings: Settings) -> list[ReconciliationReport]:
    return await reports(settings.kafka, await configured_codec(settings))


def _progress(*, as_json: bool) -> OnProgress:
    """Show progress each second on standard error."""
    shown = time.monotonic()

    def progress(name: str, step: str, count: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown >= _SAY_EVERY_S:
            shown = now
            click.echo(f"{name}: {count:,} {step}", err=True)

    return (lambda *_: None) if as_json else progress


def _print(report: ReconciliationReport, *, as_json: bool) -> None:
    if as_json:
        click.echo(json_line(report.shown()))
        return
    since = f"since {timestamp(report.since)}" if report.since is not None else "since the beginning"
    click.echo(f"{report.id}  {timestamp(report.started)}  {report.app_id}  changes {since}")
    for name, each in report.objects.items():
        click.echo(f"  {name}: {_line(each)}")


def _line(each: ObjectReport) -> str:
    if each.refused is not None:
        return f"not compared: {each.refused}"
    parts = [f"{each.compared:,} compared, {each.complete_before:.2f} % right, {each.repaired:,} repaired"]
    parts += [f"{count:,} {what}" for what, count in _reasons(each) if count]
    if each.missed_from is not None and each.missed_until is not None:
        parts.append(f"missed between {timestamp(each.missed_from)} and {timestamp(each.missed_until)}")
    if each.held:
        parts.append(
            f"{each.held:,} are not found by their ids, too many to be deleted without a look: is this Intercom's fault, or was the workspace emptied?"
        )
    return f"{'; '.join(parts)}; now {each.complete_after:.2f} %"


def _reasons(each: ObjectReport) -> list[tuple[str, int]]:
    gone: Callable[[str], int] = lambda name: int(getattr(each, name))  # noqa: E731  shorter than a function
    return [
        ("missed by webhooks", each.missed),
        *((f"of these {name}", gone(name)) for name in _GONE),
        ("late", each.late),
        ("changed without a webhook, as Intercom does", each.unannounced),
        ("not stored by policy", each.policy),
        ("in no list", each.unreachable),
        ("not repaired", each.unrepaired),
    ]
