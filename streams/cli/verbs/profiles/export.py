"""`profiles export`: everything that is held about a person, as one JSON document."""

import os
from pathlib import Path

import click

from schemas.errors import BadConfiguration
from schemas.json_lines import json_line
from streams.cli.decisions.options import tenant_option
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.verbs.profiles.located import REFERENCE, located_one
from streams.ops.codec import configured_codec
from streams.ops.profiles.export import PersonExport
from streams.ops.profiles.export import export as exported
from streams.settings import Settings

_MODE = 0o600  # what is in it is personal


@click.command("export")
@click.argument("profile", metavar=REFERENCE)
@click.option(
    "--to",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it here instead; a file that exists is left alone.",
)
@tenant_option
@json_option
@config_option
@click.pass_context
def export(ctx: click.Context, /, *, profile: str, file: Path | None, tenant: str | None, as_json: bool) -> None:
    """Print everything that is held about a person: what is published, each record of each topic, the rows of tables, and this host's spool.

    Posts that can only mention the person, as those about conversations, are looked for in whole topics; that can take minutes.
    """
    found = run(_export(kafka_of(ctx), profile, tenant))
    if file is None:
        click.echo(json_line(found))
        return
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb") as out:
            out.write(json_line(found) + b"\n")
    except FileExistsError:
        raise click.ClickException(f"{file} exists already; name a new file") from None
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from None
    if not as_json:
        for store in found.stores:
            click.echo(f"{len(store.records):>8,}  {store.store}", err=True)


async def _export(settings: Settings, text: str, tenant: str | None) -> PersonExport:
    avro = await configured_codec(settings)
    found = await located_one(settings, avro, text, tenant, held=True)
    if found.kind != "person":
        raise BadConfiguration(
            "This is an organisation. Only what is held about people can be exported; `profiles show` prints it."
        )
    return await exported(settings.kafka, avro, settings.tenancy, found, Path(settings.ingress.spool))
