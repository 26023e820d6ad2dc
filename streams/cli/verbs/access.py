"""`access snapshot|confirm`: feed a workspace's list of teammates, and let one pass that the guard refused."""

from pathlib import Path

import click
import msgspec

from connectors.kafka.fact_log import append, fact_record
from schemas.access.facts import Fact, Snapshot, type_of
from schemas.cloudevents import timestamp
from schemas.errors import BadConfiguration
from schemas.ids import derived
from schemas.json_lines import json_line
from streams.cli.access.alarm_test import test_violation
from streams.cli.access.controls import show_controls
from streams.cli.access.explain import explain
from streams.cli.access.ledger import ledger
from streams.cli.access.listing import list_access
from streams.cli.access.monitor import monitor
from streams.cli.access.queue import queue
from streams.cli.access.replay_check import replay_check
from streams.cli.access.report import report
from streams.cli.access.verify import verify
from streams.cli.group import CommandGroup
from streams.cli.intercom_list import intercom_list_options, read_intercom_list
from streams.cli.operator import COMMAND_LINE, decision
from streams.cli.options import config_option, json_option, kafka_of, workspace_option
from streams.cli.run_async import run
from streams.cli.verbs import VERBS
from streams.cli.workspace import workspace_of
from streams.core.access.facts.snapshot_from_intercom import TeammateReading, snapshot_facts
from streams.ops.codec import configured_codec
from streams.ops.facts import find_understood
from streams.settings import Settings

_CONFIRMED = "snapshot.confirmed"


class TeammateReport(msgspec.Struct, frozen=True):
    """Result of `snapshot`: its id, when its request was sent, its teammates and its facts."""

    tenant: str
    app_id: str
    snapshot: str
    requested: str
    teammates: int
    facts: int
    confirmed: bool


class ConfirmReport(msgspec.Struct, frozen=True):
    """Result of `confirm`."""

    tenant: str
    app_id: str
    snapshot: str


access = CommandGroup(
    "access",
    help=VERBS["access"],
    commands=[list_access, queue, monitor, test_violation, verify, ledger, replay_check, explain, report, show_controls],
)


@access.command()
@intercom_list_options
@workspace_option
@click.option("--confirm", is_flag=True, help="Apply it even where it lacks many teammates.")
@json_option
@config_option
@click.pass_context
def snapshot(
    ctx: click.Context, *, file: Path, workspace: str | None, requested: int | None, confirm: bool, as_json: bool
) -> None:
    """Feed the teammates of a workspace: FILE has the JSON that Intercom's GET /admins answers; - is standard input.

    Who is in it is a teammate, and who is not was removed. So a list that is cut off, one page of several, or a list of nobody is refused.
    Where it lacks more than a fifth of the teammates, and ten at least, the worker keeps it until it is confirmed.
    """
    settings = kafka_of(ctx)
    app_id, tenant = workspace_of(settings.tenancy, workspace)
    fetched = read_intercom_list(file, requested)
    reading = TeammateReading(
        tenant=tenant, app_id=app_id, requested=fetched.requested, body=fetched.body, file=fetched.name, actor=COMMAND_LINE
    )
    facts = snapshot_facts(reading)
    teammates = len(facts) - 2
    if confirm:  # before its end, so that it is not refused first
        facts.insert(-1, _confirmation(tenant, app_id, reading.snapshot))
    run(_append(settings, facts))
    snapshot_report = TeammateReport(tenant, app_id, reading.id, timestamp(reading.requested), teammates, len(facts), confirm)
    if as_json:
        click.echo(json_line(snapshot_report))
    else:
        taken = snapshot_report.requested
        click.echo(f"{teammates} teammates of workspace {app_id} as of {taken}, as snapshot {snapshot_report.snapshot}")


@access.command()
@click.argument("snapshot_id", metavar="SNAPSHOT")
@workspace_option
@json_option
@config_option
@click.pass_context
def confirm(ctx: click.Context, *, snapshot_id: str, workspace: str | None, as_json: bool) -> None:
    """Apply a snapshot that was refused because it lacks many teammates: they were removed. The finding S1 has its id."""
    settings = kafka_of(ctx)
    app_id, tenant = workspace_of(settings.tenancy, workspace)
    run(_confirm(settings, tenant, app_id, snapshot_id))
    if as_json:
        click.echo(json_line(ConfirmReport(tenant, app_id, snapshot_id)))
    else:
        click.echo(
            f"snapshot {snapshot_id} of workspace {app_id} is confirmed: a worker applies it, unless it is no longer the refused one "
            "(`intercom-streams access list --check S1`)"
        )


def _confirmation(tenant: str, app_id: str, confirmed: Snapshot) -> Fact:
    id_ = derived(tenant, _CONFIRMED, app_id, confirmed.id)
    return decision(id=id_, tenant=tenant, kind=_CONFIRMED, app_id=app_id, snapshot=confirmed)


async def _append(settings: Settings, facts: list[Fact]) -> None:
    avro = await configured_codec(settings)
    await append(settings.kafka, [fact_record(avro, fact) for fact in facts])


async def _confirm(settings: Settings, tenant: str, app_id: str, snapshot_id: str) -> None:
    avro = await configured_codec(settings)
    ends = await find_understood(settings.kafka, avro, tenant, {type_of("admins.snapshot.ended")})
    named = [fact.snapshot for fact in ends if fact.app_id == app_id and fact.snapshot and fact.snapshot.id == snapshot_id]
    found = next(iter(named), None)
    if found is None:
        raise BadConfiguration(f"Workspace {app_id} has no snapshot '{snapshot_id}' in the log. The finding S1 has its id.")
    await append(settings.kafka, [fact_record(avro, _confirmation(tenant, app_id, found))])
