"""`resync`: read from Intercom what changed since the last complete reading."""

import click

from streams.cli.options import config_option, json_option, settings_of, workspace_option
from streams.cli.verbs.backfill import object_option
from streams.cli.verbs.backfill.read_workspace import read_workspace


@click.command()
@workspace_option
@object_option
@json_option
@config_option
@click.pass_context
def resync(ctx: click.Context, *, workspace: str | None, objects: tuple[str, ...], as_json: bool) -> None:
    """Read from Intercom what changed since the last complete reading of the workspace began, with an overlap of 15 minutes.

    Teammates, companies and the small lists are read whole, since Intercom cannot be asked for changes of these. It resets no attribute
    and repeats no event: what is known already changes nothing.
    """
    read_workspace(settings_of(ctx), workspace, objects, resync=True, as_json=as_json)
