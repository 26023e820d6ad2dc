"""`backup FOLDER`: all that cannot be made again, in files that prove themselves."""

import time
from collections.abc import Callable
from pathlib import Path

import click

from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.ops.backup.take import take

_SHOWN_EVERY_S = 1.0


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")
@json_option
@config_option
@click.pass_context
def backup(ctx: click.Context, /, *, folder: Path, as_json: bool) -> None:
    """Write every topic of the installation, its tables and the positions of all readers into FOLDER, which is new or empty.

    It may work meanwhile. The folder has all personal data of its topics, so keep it as you keep these. `restore FOLDER --check` verifies it.
    """
    manifest = run(take(kafka_of(ctx).kafka, folder, progress_line("written", as_json=as_json)))
    records = sum(part.records for topic in manifest.topics.values() for part in topic.partitions)
    size = sum(part.bytes for topic in manifest.topics.values() for part in topic.partitions)
    if as_json:
        click.echo(f'{{"topics":{len(manifest.topics)},"records":{records},"bytes":{size},"hash":"{manifest.hash}"}}')
    else:
        click.echo(f"{len(manifest.topics)} topics, {records:,} records, {size:,} bytes in {folder}")
        click.echo(f"hash {manifest.hash}")


def progress_line(done: str, *, as_json: bool) -> Callable[[str, int], None]:
    """Return a function that shows, each second at most, how many records of a topic are done."""
    shown = time.monotonic()

    def show(topic: str, records: int) -> None:
        nonlocal shown
        if not as_json and time.monotonic() - shown >= _SHOWN_EVERY_S:
            shown = time.monotonic()
            click.echo(f"{topic}: {records:,} records {done}", err=True)

    return show
