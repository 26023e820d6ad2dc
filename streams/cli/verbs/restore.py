"""`restore FOLDER`: verify a backup, and restore it to an empty cluster."""

from pathlib import Path

import click

from connectors.kafka import schema_registry as registry
from schemas.cloudevents import timestamp
from schemas.json_lines import json_line
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.verbs.backup import progress_line
from streams.ops.backup.restore import RestoreResult
from streams.ops.backup.restore import restore as restore_backup
from streams.ops.backup.verify import VerifiedBackup, verify
from streams.settings import Settings


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")
@click.option("--check", is_flag=True, help="Only verify the backup: every record by its hash, and the ledger by what it names.")
@json_option
@config_option
@click.pass_context
def restore(ctx: click.Context, /, *, folder: Path, check: bool, as_json: bool) -> None:
    """Restore the backup in FOLDER to the configured cluster, which has nothing of it and no worker running.

    Records have their keys, headers, times and order as before, and everybody continues where they stood. Everything is verified first and
    read back at the end. Delete [worker] state_dir before workers start.
    """
    settings = kafka_of(ctx)
    backup, result = run(_restore(settings, folder, check=check, as_json=as_json))
    if as_json:
        click.echo(
            json_line({"topics": len(backup.manifest.topics), "ledger": backup.ledger._asdict(), "restored": _plain(result)})
        )
        return
    ledger = backup.ledger
    click.echo(f"{folder}: taken {timestamp(backup.manifest.taken)}, every record is as it was written")
    click.echo(f"ledger: {ledger.entries:,} entries of {len(ledger.tenants)} tenants hold, over {ledger.facts:,} facts")
    if result is not None:
        click.echo(f"restored {result.topics} topics, {result.records:,} records, and the positions of {result.groups} groups")
        if result.replays_ended:
            click.echo(f"{result.replays_ended} unfinished replays were ended; start them again where they are still wanted")
        for gap in result.gaps:
            click.echo(
                f"warning: partition {gap.partition} of {gap.topic} lacks {gap.offsets:,} offsets that were deleted before the agents "
                "read them; this loss is older than the backup",
                err=True,
            )


def _plain(result: RestoreResult | None) -> dict[str, object] | None:
    return result and {**result._asdict(), "gaps": [gap._asdict() for gap in result.gaps]}


async def _restore(
    settings: Settings, folder: Path, *, check: bool, as_json: bool
) -> tuple[VerifiedBackup, RestoreResult | None]:
    avro = await registry.codec("" if check else settings.registry.url, settings.kafka.topic_prefix)
    backup = await verify(folder, avro, progress_line("verified", as_json=as_json))
    if check:
        return backup, None
    show = progress_line("restored", as_json=as_json)
    return backup, await restore_backup(settings.kafka, avro, backup, actor=user_name(), on_progress=show)
