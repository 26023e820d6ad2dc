"""`backfill`: read a workspace from Intercom into the inbound topics."""

import click

from streams.cli.options import config_option, json_option, settings_of, workspace_option
from streams.cli.time_param import TimeParam
from streams.cli.verbs.backfill.read_workspace import abandon_reading, list_readings, read_workspace
from streams.ops.backfill.objects import OBJECTS

object_option = click.option(
    "--object", "objects", multiple=True, type=click.Choice(tuple(OBJECTS)), help="Only this type of object; may be repeated."
)


@click.command()
@workspace_option
@object_option
@click.option(
    "--since",
    type=TimeParam(),
    metavar="TIME",
    help="Only what changed at this time (ISO 8601 with zone) or later, where Intercom can be asked so: contacts, conversations, tickets, articles, activity log.",
)
@click.option("--list", "list_all", is_flag=True, help="Show all readings of workspaces, and how they ended.")
@click.option(
    "--abandon",
    is_flag=True,
    help="End the unfinished reading where it stands: what was read stays, and the next one begins new.",
)
@json_option
@config_option
@click.pass_context
def backfill(
    ctx: click.Context,
    *,
    workspace: str | None,
    objects: tuple[str, ...],
    since: int | None,
    list_all: bool,
    abandon: bool,
    as_json: bool,
) -> None:
    """Read a workspace from Intercom, beside its webhooks: who is there already, and all that `--object` lists.

    What is read and what is posted meet in any order. It stays within the workspace's rate limit, shared with other processes. Ctrl-C pauses it, and
    the same command continues; after a crash too. Where it runs already, this shows how far it is.
    """
    if abandon and (list_all or objects or since is not None):
        raise click.UsageError("--abandon ends what is unfinished of a workspace: it takes --workspace alone")
    settings = settings_of(ctx)
    if list_all:
        list_readings(settings, as_json=as_json)
    elif abandon:
        abandon_reading(settings, workspace, as_json=as_json)
    else:
        read_workspace(settings, workspace, objects, since=None if since is None else since // 1000, as_json=as_json)
