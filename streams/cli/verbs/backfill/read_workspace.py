"""Read a workspace from Intercom for a verb: with the configured token, within the shared budget, with progress for a person."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from schemas.cloudevents import Origin, timestamp
from schemas.errors import BadConfiguration
from schemas.json_lines import json_line
from streams.cli.operator import user_name
from streams.cli.pause_on_signal import pause_on_signal
from streams.cli.rest_client import rest_client
from streams.cli.run_async import run
from streams.cli.verbs.backfill.progress_shown import count, progress_shown
from streams.cli.workspace import workspace_of
from streams.ops.backfill.journal import Backfill, backfills
from streams.ops.backfill.objects import OBJECTS
from streams.ops.backfill.pages_reader import ReadingWatcher
from streams.ops.backfill.run import ReadingPlan, abandon, begin
from streams.ops.codec import configured_codec
from streams.settings import Settings


def read_workspace(
    settings: Settings,
    app_id: str | None,
    objects: tuple[str, ...],
    *,
    since: int | None = None,
    resync: bool = False,
    as_json: bool,
) -> None:
    """Read and report. Ctrl-C pauses between two pages."""
    app_id, tenant = readable_workspace(settings, app_id)
    objects = tuple(dict.fromkeys(objects)) or tuple(OBJECTS)
    wanted = ReadingPlan(tenant=tenant, objects=objects, since=since, resync=resync, actor=user_name())
    with _watcher(as_json=as_json) as watcher:
        done = run(_read(settings, app_id, wanted, watcher))
    report(done, as_json=as_json)
    if _is_another(done, wanted):
        click.echo(
            f"this was the unfinished reading {done.id}, not what was asked for; the same command again reads that", err=True
        )


def abandon_reading(settings: Settings, app_id: str | None, *, as_json: bool) -> None:
    """End the unfinished reading of a workspace, and report it."""
    app_id, _ = workspace_of(settings.tenancy, app_id)
    ended = run(_abandon(settings, app_id))
    click.echo(json_line(ended) if as_json else _line(ended))


def _is_another(done: Backfill, wanted: ReadingPlan) -> bool:
    """Say whether a reading that was continued or followed is another one than was asked for."""
    if wanted.resync:
        return done.origin != Origin.RESYNC or not set(done.objects) <= set(wanted.objects)
    return (done.origin, set(done.objects), done.since) != (Origin.BACKFILL, set(wanted.objects), wanted.since)


def readable_workspace(settings: Settings, app_id: str | None) -> tuple[str, str]:
    """Return a workspace that has a token, and its tenant. Raises BadConfiguration for one without."""
    app_id, tenant = workspace_of(settings.tenancy, app_id)
    if not settings.tenancy.workspaces[app_id].access_token:
        raise BadConfiguration(
            f"workspace {app_id} has no access_token: copy it from Developer Hub > your app > Configure > Authentication into the "
            "configuration, best as ${INTERCOM_TOKEN}"
        )
    return app_id, tenant


def list_readings(settings: Settings, *, as_json: bool) -> None:
    """Print all readings, the oldest first."""
    for each in run(_all(settings)).values():
        click.echo(json_line(each) if as_json else _line(each))


async def _all(settings: Settings) -> dict[str, Backfill]:
    return await backfills(settings.kafka, await configured_codec(settings))


async def _abandon(settings: Settings, app_id: str) -> Backfill:
    return await abandon(settings.kafka, await configured_codec(settings), app_id)


async def _read(settings: Settings, app_id: str, wanted: ReadingPlan, watcher: ReadingWatcher) -> Backfill:
    avro = await configured_codec(settings)
    async with rest_client(settings, app_id) as client:
        return await begin(settings.kafka, avro, client, wanted, watcher)


@contextmanager
def _watcher(*, as_json: bool) -> Iterator[ReadingWatcher]:
    """Show progress; stop between two pages on Ctrl-C and SIGTERM."""
    with pause_on_signal() as stopped, progress_shown(as_json=as_json) as progress:
        yield ReadingWatcher(progress, stopped)


def report(backfill: Backfill, *, as_json: bool) -> None:
    """Print how a reading ended."""
    if as_json:
        click.echo(json_line(backfill))
        return
    click.echo(_line(backfill))
    for name, progress in backfill.progress.items():
        if progress.refused:
            click.echo(f"{name} were not read: {progress.refused}", err=True)
        if progress.not_whole:
            click.echo(
                f"{progress.not_whole:,} {name} are not whole: Intercom shows the newest 500 parts, or failed to show the rest",
                err=True,
            )
        if progress.repeated:
            click.echo(f"at most {progress.repeated:,} pages of {name} were read twice; that changes nothing", err=True)
        if progress.without_id:
            click.echo(
                f"{progress.without_id:,} {name} have no id and were left out; report this with the product's version", err=True
            )
    if backfill.result is None:
        click.echo("paused; the same command continues where it stood", err=True)


def _line(backfill: Backfill) -> str:
    since = f" since {timestamp(backfill.since * 1000)}" if backfill.since is not None else ""
    counts = ", ".join(f"{count(backfill, name)} {name}" for name in backfill.objects)
    return f"{backfill.id}  {timestamp(backfill.started)}  {backfill.app_id}  {backfill.origin}{since}: {backfill.result or 'unfinished'}; {counts}"
