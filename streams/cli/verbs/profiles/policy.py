"""`profiles policy apply|show|history`: what a tenant's policy says about people or organisations, and what it was before."""

import time
from pathlib import Path

import click

from schemas.cloudevents import timestamp
from schemas.json_lines import json_line
from schemas.profiles.policies import KINDS, PERSON, ProfilePolicy
from schemas.profiles.policy_events import OPERATOR, PolicyEvent
from schemas.versioned import OLDEST
from streams.cli.decisions.options import tenant_option
from streams.cli.group import CommandGroup
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tables import TextTable, print_table
from streams.cli.tenant import tenant_of
from streams.ops.codec import configured_codec
from streams.ops.policies.apply import PolicyApplication, PolicyChange
from streams.ops.policies.apply import apply as apply_policy
from streams.ops.policies.history import read_history
from streams.ops.policies.notices import notices
from streams.settings import Settings
from streams.settings.profile_policy import AppliedFile, read

policy = CommandGroup("policy", help="Say which profiles exist, what is stored of them, and which record each value comes from.")

_kind_option = click.option(
    "--kind", type=click.Choice(KINDS), default=PERSON, show_default=True, help="People or organisations."
)


def read_file(settings: Settings, file: Path, tenant: str | None) -> AppliedFile:
    """Return the policy in a file, for the tenant that it or the command line names."""
    return read(file, settings.tenancy, tenant, lambda named: tenant_of(settings.tenancy, named))


@policy.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@tenant_option
@json_option
@config_option
@click.pass_context
def apply(ctx: click.Context, *, file: Path, tenant: str | None, as_json: bool) -> None:
    """Put the policy in FILE (TOML) in force, in place of the present one. Workers apply it to all that is there, and to what comes.

    docs/profiles.md explains each key. `profiles preview` shows what would change.
    """
    settings = kafka_of(ctx)
    found = read_file(settings, file, tenant)
    change, before = run(_apply(settings, found))
    if as_json:
        click.echo(json_line({"changed": change.changed, "policy": change.event}))
    elif change.event is None or not change.changed:
        click.echo(f"nothing to do: this is the policy in force for {found.tenant} ({found.kind})")
    else:
        click.echo(f"in force for {found.tenant} ({found.kind}) as version {change.event.version}, {change.event.id}")
    if change.changed:
        for notice in (*notices(found.policy, found.kind, settings.tenancy.tenants[found.tenant]), *_missing(before)):
            click.echo(f"note: {notice}", err=True)


@policy.command()
@_kind_option
@tenant_option
@json_option
@config_option
@click.pass_context
def show(ctx: click.Context, *, kind: str, tenant: str | None, as_json: bool) -> None:
    """Show the policy in force. Exit code 1 if there is none."""
    settings = kafka_of(ctx)
    tenant_id = tenant_of(settings.tenancy, tenant)
    events = run(_history(settings, tenant_id, kind))
    if not events:
        click.echo("null" if as_json else f"{tenant_id} has no policy ({kind}): intercom-streams profiles policy apply FILE")
        ctx.exit(1)
    elif as_json:
        click.echo(json_line(events[-1]))
    else:
        click.echo(f"policy of {tenant_id} ({kind}), version {events[-1].version}, since {timestamp(events[-1].time)}:")
        for line in _lines(events[-1]):
            click.echo(f"  {line}")


@policy.command()
@_kind_option
@tenant_option
@json_option
@config_option
@click.pass_context
def history(ctx: click.Context, *, kind: str, tenant: str | None, as_json: bool) -> None:
    """Show every version of the policy, the newest last."""
    settings = kafka_of(ctx)
    events = run(_history(settings, tenant_of(settings.tenancy, tenant), kind))
    if as_json:
        for event in events:
            click.echo(json_line(event))
        return
    table = TextTable("version", "since", "applied by", "what it says")
    for event in events:
        table.add_row(str(event.version), timestamp(event.time), event.actor or event.origin, "; ".join(_lines(event)))
    print_table(table)


async def _apply(settings: Settings, found: AppliedFile) -> tuple[PolicyChange, ProfilePolicy]:
    avro = await configured_codec(settings)
    events = await read_history(settings.kafka, avro, found.tenant, found.kind)
    application = PolicyApplication(
        tenant=found.tenant,
        kind=found.kind,
        origin=OPERATOR,
        actor=user_name(),
        time=time.time_ns() // 1_000_000,
        encoding=settings.worker.encoding or OLDEST,
    )
    change = await apply_policy(settings.kafka, avro, found.policy, application)
    return change, events[-1].policy if events else ProfilePolicy()


async def _history(settings: Settings, tenant: str, kind: str) -> list[PolicyEvent]:
    avro = await configured_codec(settings)
    return await read_history(settings.kafka, avro, tenant, kind)


def _missing(before: ProfilePolicy) -> list[str]:
    """Return that a value that was denied is gone, whatever the new policy says of it."""
    if (before.allow, before.deny, before.hash, before.enabled) == (None, (), (), True):
        return []
    return ["what was denied until now is not in the tables; rebuild the agents to have it from the raw topics"]


def _lines(event: PolicyEvent) -> list[str]:
    """Return what a policy says, without what every policy says."""
    lines = [] if event.enabled else ["nothing of this kind is stored"]
    lines.append(f"strategy {event.strategy}")
    lines += [f"priority {', '.join(event.priority)}"] if event.priority else []
    lines += [f"source {each.source}: {each.strategy}" for each in event.sources]
    for each in event.fields:
        rules = [
            each.strategy or "",
            *(f"only_empty {name}" for name in each.only_empty),
            *(f"locked {name}" for name in each.locked),
        ]
        rules += [f"priority {', '.join(each.priority)}"] if each.priority else []
        lines.append(f"field {each.pattern}: {', '.join(rule for rule in rules if rule) or 'as its source'}")
    for name, patterns in (("allow", event.allow), ("deny", event.deny or None), ("hash", event.hashed or None)):
        lines += [] if patterns is None else [f"{name} {', '.join(patterns) or 'nothing'}"]
    lines += [f"select {event.select}"] if event.select is not None else []
    lines += ["deleted records count as archived"] if event.archive_deleted else []
    if event.kind == PERSON:
        lines.append(f"new records permit e-mail {'yes' if event.email else 'no'}, SMS {'yes' if event.sms else 'no'}")
    return lines
