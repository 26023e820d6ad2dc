"""`profiles preview --policy FILE`: what a policy would change, before it does."""

from pathlib import Path

import click

from schemas.json_lines import json_line
from schemas.profiles.policies import PERSON
from streams.cli.decisions.options import tenant_option
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.verbs.profiles.policy import read_file
from streams.ops.generations.state import read_generations
from streams.ops.policies.preview import PolicyPreview
from streams.ops.policies.preview import preview as preview_policy
from streams.settings import Settings
from streams.settings.profile_policy import AppliedFile


@click.command("preview")
@click.option("--policy", "file", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file (TOML).")
@click.option("--list", "most", default=20, show_default=True, type=click.IntRange(min=0), help="How many profiles to list.")
@tenant_option
@json_option
@config_option
@click.pass_context
def preview(ctx: click.Context, *, file: Path, most: int, tenant: str | None, as_json: bool) -> None:
    """Count and list the profiles that a policy would change. Nothing is changed.

    It reads the agent's whole table from its changelog, a partition at a time.
    """
    settings = kafka_of(ctx)
    found = run(_preview(settings, read_file(settings, file, tenant), most))
    if as_json:
        click.echo(json_line(found))
        return
    click.echo(
        f"{found.changed} of {found.profiles} {'people' if found.kind == PERSON else 'organisations'} of {found.tenant} would change: "
        f"{found.entered} enter, {found.left} leave, {found.changed - found.entered - found.left} have other values"
    )
    if found.undecided:
        click.echo(f"the condition fails for {found.undecided} of them, which are then not selected")
    for field in found.fields:
        click.echo(f"  {field.field}: {field.profiles}")
    for profile in found.listed:
        click.echo(f"  {profile.profile} {profile.selection or ', '.join(profile.fields)}")
    if found.changed > len(found.listed):
        click.echo(f"  and {found.changed - len(found.listed)} more; --list N shows more of them")


async def _preview(settings: Settings, found: AppliedFile, most: int) -> PolicyPreview:
    state = await read_generations(settings.kafka)
    names = state.names(settings.kafka.topic_prefix)
    changelog = names.topic(names.changelog("people" if found.kind == PERSON else "orgs"))
    return await preview_policy(
        settings.kafka, settings.tenancy, changelog, found.policy, tenant=found.tenant, kind=found.kind, most=most
    )
