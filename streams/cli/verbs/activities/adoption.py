"""`activities adopt`: posts that an earlier release put elsewhere."""

from collections.abc import Callable

import click

from schemas.json_lines import json_line
from streams.cli.group import CommandGroup
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, tenancy_of
from streams.cli.run_async import run
from streams.cli.verbs import VERBS
from streams.cli.verbs.backup import progress_line
from streams.ops.activities.adopt import Adopted, adopt
from streams.ops.codec import configured_codec
from streams.settings import Settings

activities = CommandGroup("activities", help=VERBS["activities"])


@activities.command("adopt")
@json_option
@config_option
@click.pass_context
def adopt_(ctx: click.Context, /, *, as_json: bool) -> None:
    """Send posts about activities that came before this release to intercom.activities, once. Run it again if it was broken off."""
    adopted = run(_adopt(tenancy_of(ctx), progress_line("sent", as_json=as_json)))
    if as_json:
        click.echo(json_line(adopted))
        return
    for topic, read in adopted.read.items():
        click.echo(f"{topic}: {read:,} posts read, {adopted.sent[topic]:,} of them sent to intercom.activities")


async def _adopt(settings: Settings, show: Callable[[str, int], None]) -> Adopted:
    avro = await configured_codec(settings)
    return await adopt(settings.kafka, avro, settings.tenancy, actor=user_name(), on_progress=show)
