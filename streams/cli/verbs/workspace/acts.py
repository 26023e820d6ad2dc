"""`workspace list|pause|resume|archive|restore|delete`: what becomes of what Intercom posts about a workspace."""

import time
from collections.abc import Callable
from typing import Any

import click
import msgspec

from schemas.cloudevents import timestamp
from schemas.json_lines import json_line
from schemas.workspaces import WorkspaceStatus
from streams.cli.group import CommandGroup
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, settings_of
from streams.cli.run_async import run
from streams.cli.verbs import VERBS
from streams.cli.workspace import workspace_of
from streams.ops.codec import configured_codec
from streams.ops.profiles.erase import erasure_key
from streams.ops.workspaces.disconnections import Disconnection, disconnections
from streams.ops.workspaces.held_posts import held, release
from streams.ops.workspaces.purge import purge
from streams.ops.workspaces.states import change, states
from streams.settings import Settings
from streams.worker.settings_sync import monitored, sync_settings_facts

workspace = CommandGroup("workspace", help=VERBS["workspace"])

_FOLLOWED_S = 3.0  # ingresses look at the states twice a second


class WorkspaceListing(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace: its state since when (ms; null where it never had another), its held posts, and what Intercom reported last."""

    app_id: str
    tenant: str | None
    state: WorkspaceStatus
    since: int | None
    reason: str | None
    held: int
    reported: Disconnection | None


class WorkspaceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a command did: the state it led to, how many held posts were released, and how many contacts were erased."""

    app_id: str
    state: WorkspaceStatus
    released: int = 0
    erased: int = 0


def _act(name: str, **more: Any) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of the group about one workspace, with a reason."""

    def decorate(function: Callable[..., None]) -> click.Command:
        function = click.pass_context(function)
        for option in (
            config_option,
            json_option,
            click.option("--reason", metavar="TEXT", help="Why; it is kept with who did it and when."),
            click.argument("app_id", metavar="APP_ID"),
        ):
            function = option(function)
        return workspace.command(name, **more)(function)

    return decorate


@workspace.command("list")
@json_option
@config_option
@click.pass_context
def list_(ctx: click.Context, /, *, as_json: bool) -> None:
    """Show every workspace: its state, how many posts are held for it, and what Intercom reported about its apps and tokens."""
    for row in run(_rows(settings_of(ctx))):
        if as_json:
            click.echo(json_line(row))
        else:
            since = f" since {timestamp(row.since)}" if row.since is not None else ""
            why = f" ({row.reason})" if row.reason else ""
            posts = f", {row.held:,} posts are held" if row.held else ""
            click.echo(f"{row.app_id} of {row.tenant or 'nobody configured'}: {row.state}{since}{why}{posts}")
            if row.reported is not None:
                place = f"{row.reported.topic} {row.reported.partition}:{row.reported.offset}"
                click.echo(f"  Intercom reported {timestamp(row.reported.time)}: {row.reported.what} (see {place} for which app)")


@_act("pause")
def pause(ctx: click.Context, /, *, app_id: str, reason: str | None, as_json: bool) -> None:
    """Hold posts about contacts, companies, conversations and articles. Access is still evaluated: teammates' posts are applied."""
    _show(run(_change(settings_of(ctx), "pause", app_id, reason)), as_json=as_json)


@_act("resume")
def resume(ctx: click.Context, /, *, app_id: str, reason: str | None, as_json: bool) -> None:
    """Apply posts again, and all that were held. Run it again if it was broken off, or `workspace list` still shows held posts."""
    _show(run(_resume(settings_of(ctx), app_id, reason)), as_json=as_json)


@_act("archive")
def archive(ctx: click.Context, /, *, app_id: str, reason: str | None, as_json: bool) -> None:
    """Hold all posts, and monitor the workspace no longer: its findings close as not applicable."""
    _show(run(_change(settings_of(ctx), "archive", app_id, reason)), as_json=as_json)


@_act("restore")
def restore(ctx: click.Context, /, *, app_id: str, reason: str | None, as_json: bool) -> None:
    """Take a workspace back from the archive: it is monitored again and still paused; `workspace resume` then applies what was held."""
    _show(run(_change(settings_of(ctx), "restore", app_id, reason)), as_json=as_json)


@workspace.command()
@click.argument("app_id", metavar="APP_ID")
@click.option("--confirm", metavar="NAME", required=True, help="The workspace's id once more, typed by hand.")
@click.option(
    "--purge", "with_contacts", is_flag=True, help="Erase all its contacts too, for good, as `profiles erase` does one person."
)
@click.option("--reason", metavar="TEXT", help="Why; it is kept with who did it and when.")
@json_option
@config_option
@click.pass_context
def delete(ctx: click.Context, /, *, app_id: str, confirm: str, with_contacts: bool, reason: str | None, as_json: bool) -> None:
    """Give an archived workspace up: later posts go to intercom.other, and what is held is released no more.

    What is known of its people stays, unless --purge erases them. Broken off, the same command continues with those that are left;
    it needs the secret of [tenants.erasure]. `profiles erasures` shows by when each store is clear. Leave the workspace in the configuration
    until the workers have done it, then take it out.
    """
    if confirm != app_id:
        raise click.UsageError(f"--confirm has to be the workspace's id, {app_id}, typed once more")
    _show(run(_delete(settings_of(ctx), app_id, reason, with_contacts=with_contacts)), as_json=as_json)


async def _rows(settings: Settings) -> list[WorkspaceListing]:
    kafka, avro = settings.kafka, await configured_codec(settings)
    known, counts, owners = await states(kafka, avro), await held(kafka, avro), settings.tenancy.owners
    reported = await disconnections(kafka)
    return [
        WorkspaceListing(
            app_id=app_id,
            tenant=owners.get(app_id),
            state=known[app_id].state if app_id in known else WorkspaceStatus.ACTIVE,
            since=known[app_id].since if app_id in known else None,
            reason=known[app_id].reason if app_id in known else None,
            held=counts[app_id],
            reported=reported.get(app_id),
        )
        for app_id in sorted({*owners, *known, *counts})
    ]


async def _change(settings: Settings, act: str, app_id: str, reason: str | None) -> WorkspaceReport:
    _, tenant = workspace_of(settings.tenancy, app_id)
    kafka, avro = settings.kafka, await configured_codec(settings)
    state = await change(kafka, avro, act, tenant=tenant, app_id=app_id, actor=user_name(), reason=reason)
    await sync_settings_facts(kafka, avro, await monitored(kafka, avro, settings.tenancy))
    return WorkspaceReport(app_id=app_id, state=state.state)


async def _resume(settings: Settings, app_id: str, reason: str | None) -> WorkspaceReport:
    kafka, avro = settings.kafka, await configured_codec(settings)
    state = (await states(kafka, avro)).get(app_id)
    if state is None or state.state is not WorkspaceStatus.ACTIVE:
        await _change(settings, "resume", app_id, reason)
        state = (await states(kafka, avro))[app_id]
    released = await release(kafka, avro, state, _progress)
    until = time.monotonic() + _FOLLOWED_S  # ingresses that have not followed yet hold a few more
    while time.monotonic() < until:
        released += await release(kafka, avro, state, _progress)
    return WorkspaceReport(app_id=app_id, state=state.state, released=released)


async def _delete(settings: Settings, app_id: str, reason: str | None, *, with_contacts: bool) -> WorkspaceReport:
    if with_contacts:
        erasure_key(settings.tenancy, workspace_of(settings.tenancy, app_id)[1])  # refused before anything is changed
    kafka, avro = settings.kafka, await configured_codec(settings)
    state = (await states(kafka, avro)).get(app_id)
    if not with_contacts or state is None or state.state is not WorkspaceStatus.DELETED:
        await _change(settings, "delete", app_id, reason)
    if not with_contacts:
        return WorkspaceReport(app_id=app_id, state=WorkspaceStatus.DELETED)
    erased = await purge(kafka, avro, settings.tenancy, app_id, actor=user_name(), reason=reason, on_progress=_purged)
    return WorkspaceReport(app_id=app_id, state=WorkspaceStatus.DELETED, erased=erased)


def _purged(done: int, contacts: int) -> None:
    click.echo(f"{done:,} of {contacts:,} contacts are erased", err=True)


def _progress(sent: int) -> None:
    if sent and sent % 10_000 == 0:
        click.echo(f"{sent:,} held posts released", err=True)


def _show(report: WorkspaceReport, *, as_json: bool) -> None:
    if as_json:
        click.echo(json_line(report))
        return
    released = f"; {report.released:,} held posts were released" if report.state is WorkspaceStatus.ACTIVE else ""
    erased = f"; {report.erased:,} contacts are erased" if report.erased else ""
    click.echo(f"{report.app_id} is {report.state}{released}{erased}")
