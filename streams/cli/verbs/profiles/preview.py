"""`profiles preview`: what a policy, other rules of identity, or a merge of profiles would change, before it does."""

from itertools import chain
from pathlib import Path

import click

from schemas.errors import BadConfiguration
from schemas.json_lines import json_line
from schemas.profiles.identity import Scope
from schemas.profiles.policies import KINDS, PERSON, PROFILE_TOPICS
from streams.cli.decisions.options import tenant_option
from streams.cli.lines import print_lines
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.cli.verbs.profiles.explain import reason_lines
from streams.cli.verbs.profiles.located import REFERENCE, located_one
from streams.cli.verbs.profiles.policy import read_file
from streams.ops.codec import configured_codec
from streams.ops.generations.live import changelog_of
from streams.ops.policies.notices import notices
from streams.ops.policies.preview import PolicyPreview
from streams.ops.policies.preview import preview as preview_policy
from streams.ops.profiles.identity_preview import IdentityPreview, preview_identity
from streams.ops.profiles.merge_preview import MergePreview, preview_merge
from streams.settings import Settings
from streams.settings.identity import identity_rules, identity_settings
from streams.settings.profile_policy import NOUNS, AppliedFile


@click.command("preview")
@click.option(
    "--policy", "file", type=click.Path(dir_okay=False, path_type=Path), help="What the policy in this file (TOML) would change."
)
@click.option(
    "--identity", is_flag=True, help="What the configuration's rules of identity would change, as no worker has applied them yet."
)
@click.option(
    "--merge",
    "merged",
    metavar=REFERENCE,
    multiple=True,
    help="What this profile and others would be as one; give it twice or more often.",
)
@click.option(
    "--kind", type=click.Choice(KINDS), default=PERSON, show_default=True, help="People or organisations; for --identity."
)
@click.option("--list", "most", default=20, show_default=True, type=click.IntRange(min=0), help="How many profiles to list.")
@tenant_option
@json_option
@config_option
@click.pass_context
def preview(
    ctx: click.Context,
    /,
    *,
    file: Path | None,
    identity: bool,
    merged: tuple[str, ...],
    kind: str,
    most: int,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Show what a policy, rules of identity, or a merge would change. Nothing is changed.

    For a policy or rules it reads the agent's whole table from its changelog, a partition at a time; for a merge, the partitions of the profiles.
    """
    settings = kafka_of(ctx)
    if (file is not None) + identity + bool(merged) != 1:
        raise BadConfiguration(
            "Say what to preview, one thing at a time: --policy FILE, --identity, or --merge PROFILE --merge PROFILE."
        )
    if file is not None:
        found = read_file(settings, file, tenant)
        policy = run(_policy(settings, found, most))
        _print(policy, _policy_lines(policy), as_json=as_json)
        for notice in notices(found.policy, found.kind, settings.tenancy.tenants[found.tenant]):
            click.echo(f"note: {notice}, which is not counted here", err=True)
    elif identity:
        rules = run(_identity(settings, Scope(tenant_of(settings.tenancy, tenant), kind), most))
        _print(rules, _identity_lines(rules), as_json=as_json)
    else:
        merge = run(_merge(settings, merged, tenant))
        _print(merge, _merge_lines(merge), as_json=as_json)


async def _policy(settings: Settings, found: AppliedFile, most: int) -> PolicyPreview:
    changelog = await changelog_of(settings.kafka, PROFILE_TOPICS[found.kind])
    return await preview_policy(
        settings.kafka, settings.tenancy, changelog, found.policy, tenant=found.tenant, kind=found.kind, most=most
    )


async def _identity(settings: Settings, scope: Scope, most: int) -> IdentityPreview:
    parts = identity_settings(settings.tenancy.tenants[scope.tenant]).values()
    rules = next(identity_rules(each, kind) for kind, each in parts if kind == scope.profile_type)
    return await preview_identity(settings.kafka, await changelog_of(settings.kafka, "identity"), scope, rules, most=most)


async def _merge(settings: Settings, references: tuple[str, ...], tenant: str | None) -> MergePreview:
    avro = await configured_codec(settings)
    found = [await located_one(settings, avro, each, tenant) for each in references]
    return await preview_merge(settings.kafka, avro, found)


def _print(found: PolicyPreview | IdentityPreview | MergePreview, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        click.echo(json_line(found))
    else:
        print_lines(*lines)


def _policy_lines(found: PolicyPreview) -> list[str]:
    whose, rest = f"{NOUNS[found.kind]} of {found.tenant}", found.changed - found.entered - found.left
    how = f"{found.entered} enter, {found.left} leave, {rest} have other values"
    lines = [f"{found.changed} of {found.profiles} {whose} would change: {how}"]
    if found.undecided:
        lines.append(f"the condition fails for {found.undecided} of them, which are then not selected")
    lines += [f"  {field.field}: {field.profiles}" for field in found.fields]
    lines += [f"  {profile.profile} {profile.selection or ', '.join(profile.fields)}" for profile in found.listed]
    return lines + _more(found.changed - len(found.listed))


def _identity_lines(found: IdentityPreview) -> list[str]:
    count = f"{found.records} records of {found.tenant} are {found.before} {NOUNS[found.kind]} and would be {found.after}"
    how = f"{found.joined} would be several of today's, {found.parted} of today's would part; {found.moved} records would move"
    lines = [f"{count}: {how}"]
    lines += [f"  {', '.join(each.before)} -> {', '.join(each.after)}: {', '.join(each.records)}" for each in found.listed]
    return lines + _more(found.joined + found.parted - len(found.listed))


def _merge_lines(found: MergePreview) -> list[str]:
    lines = [
        f"{found.kind} {found.profile} of {found.tenant}: {found.status if found.published else 'not published, by the policy in force'}"
    ]
    lines += [f"  {replaced} would be an alias of it" for replaced in found.replaced]
    lines += [f"  record {record['key']} ({record['status']})" for record in found.records]
    return [*lines, "", "Why each value would be what it is", *chain.from_iterable(map(reason_lines, found.fields))]


def _more(count: int) -> list[str]:
    return [f"  and {count} more; --list N shows more of them"] if count > 0 else []
