"""`activities purge --verify` and `activities restore`: that what has expired is gone, and how some of it comes back."""

from collections.abc import Callable
from pathlib import Path

import click

from schemas.cloudevents import timestamp
from schemas.json_lines import json_line
from streams.cli.decisions.options import tenant_option
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, tenancy_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.cli.verbs.activities.adoption import activities
from streams.cli.verbs.backup import progress_line
from streams.ops.activities.restore import Restored, restore
from streams.ops.activities.retained.scan import StoreHeld
from streams.ops.activities.retained.verify import Verification, verify
from streams.ops.codec import configured_codec
from streams.settings import Settings


@activities.command()
@click.option("--verify", "verify_", is_flag=True, help="Read every store, and exit with 1 where something is beyond its time.")
@json_option
@config_option
@click.pass_context
def purge(ctx: click.Context, /, *, verify_: bool, as_json: bool) -> None:
    """Verify that details beyond their limit are gone from every store. Workers take them away by themselves, once a day."""
    if not verify_:
        raise click.UsageError("workers purge by themselves, at the first wake of a day and when a policy changes; add --verify")
    found = run(_verify(tenancy_of(ctx)))
    if as_json:
        click.echo(json_line(found))
    else:
        _show(found)
    ctx.exit(1 if found.faults else 0)


@activities.command("restore")
@click.option("--dry-run", is_flag=True, help="Say how far the raw topics go, and send nothing.")
@tenant_option
@json_option
@config_option
@click.pass_context
def restore_(ctx: click.Context, /, *, dry_run: bool, tenant: str | None, as_json: bool) -> None:
    """Bring details back that a longer policy allows, as far as the raw topics go. Counts stay as they are, and nothing fires.

    If it is broken off, run it again: what is there already changes nothing.
    """
    settings = tenancy_of(ctx)
    found = run(_restore(settings, tenant_of(settings.tenancy, tenant), progress_line("read", as_json=as_json), dry_run=dry_run))
    for each in found:
        if as_json:
            click.echo(json_line(each))
        elif each.since is None:
            click.echo(f"{each.topic}: has nothing of {each.workspace}")
        else:
            verb = "would be read again" if dry_run else "read again"
            click.echo(f"{each.topic}: {each.sent:,} posts of {each.workspace} {verb}; it goes back to {timestamp(each.since)}")


async def _verify(settings: Settings) -> Verification:
    avro = await configured_codec(settings)
    folder = Path(settings.worker.state_dir) if settings.worker.state_dir else None
    return await verify(settings.kafka, avro, settings.tenancy, state_dir=folder, on_disk=settings.worker.on_disk)


async def _restore(settings: Settings, tenant: str, show: Callable[[str, int], None], *, dry_run: bool) -> list[Restored]:
    avro = await configured_codec(settings)
    return await restore(settings.kafka, avro, settings.tenancy, tenant, actor=user_name(), dry_run=dry_run, on_progress=show)


def _show(found: Verification) -> None:
    for store in found.stores:
        click.echo(f"{store.store}: {_summary(store)}")
        for name, each in sorted(store.types.items()):
            if each.expired:
                by = "" if each.gone_by is None else f", gone by {timestamp(each.gone_by)}"
                oldest = timestamp(each.oldest or 0)
                click.echo(f"  {name}: {each.details:,} details, the oldest of {oldest}, {each.expired:,} expired{by}")
            else:
                click.echo(f"  {name}: {each.details:,} details, the oldest of {timestamp(each.oldest or 0)}")
    click.echo("kept on purpose:")
    for line in found.kept:
        click.echo(f"  {line}")
    click.echo("not looked into:")
    for line in found.not_read:
        click.echo(f"  {line}")
    for fault in found.faults:
        click.echo(f"fault: {fault}", err=True)
    if not found.faults:
        click.echo("nothing is beyond its time")


def _summary(store: StoreHeld) -> str:
    details = sum(each.details for each in store.types.values())
    return f"{details:,} details" + (f" ({store.kept})" if store.kept else "")
