"""`directory feed FILE`: a list of teammates or teams that somebody has fetched."""

from pathlib import Path

import click

from schemas.json_lines import json_line
from streams.cli.intercom_list import intercom_list_options, read_intercom_list
from streams.cli.options import config_option, json_option, kafka_of, workspace_option
from streams.cli.run_async import run
from streams.cli.workspace import workspace_of
from streams.ops.directory.feed import feed as feed_list


@click.command("feed")
@intercom_list_options
@workspace_option
@json_option
@config_option
@click.pass_context
def feed(ctx: click.Context, /, *, file: Path, requested: int | None, workspace: str | None, as_json: bool) -> None:
    """Feed the JSON that Intercom's GET /admins or GET /teams answers; - is standard input. With a token, `sync` reads both by itself.

    Who is not in the list is gone, so it has to be whole.
    """
    settings = kafka_of(ctx)
    app_id, _ = workspace_of(settings.tenancy, workspace)
    fetched = read_intercom_list(file, requested)
    fed = run(feed_list(settings.kafka, app_id, fetched.body, fetched.requested))
    click.echo(json_line(fed) if as_json else f"{fed.app_id}: {fed.items} {fed.kind} of a whole list")
