"""`policy apply|show|what-if`: the rules that say who may have an account in each workspace."""

from pathlib import Path

import click
import msgspec

from connectors.kafka.fact_log import append, fact_record
from schemas.access import facts
from schemas.access.facts import Fact, Policy
from schemas.cloudevents import timestamp
from schemas.codec import Avro
from schemas.ids import derived
from schemas.json_lines import json_line
from schemas.plain_values import plain
from streams.cli.access.policy_of import policy_of
from streams.cli.access.what_if import what_if
from streams.cli.group import CommandGroup
from streams.cli.operator import decision
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tables import TextTable, print_table
from streams.cli.tenant import tenant_of
from streams.cli.verbs import VERBS
from streams.core.access.facts.staleness import in_force
from streams.ops.codec import configured_codec
from streams.ops.facts import find_understood
from streams.settings import Settings

_KIND = "policy.applied"


class PolicyReport(msgspec.Struct, frozen=True):
    """Result of `apply`: the policy's id, the id of the policy it replaced, and whether anything changed."""

    tenant: str
    policy: str
    replaces: str | None
    changed: bool
    rules: tuple[facts.Rule, ...]


policy = CommandGroup("policy", help=VERBS["policy"], commands=[what_if])


@policy.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--tenant", metavar="ID", help="Whose policy it is. May be left out where FILE says it, or one tenant is configured."
)
@json_option
@config_option
@click.pass_context
def apply(ctx: click.Context, *, file: Path, tenant: str | None, as_json: bool) -> None:
    """Put the policy in FILE (TOML) in force, in place of the present one. A workspace it does not name has no policy any more.

    \b
    [[rules]]
    app_id = "abc12345"
    validity = "staff_roles"       all_staff, staff_roles, intercom_roles or ticket
    roles = ["Support", "Sales"]
    grace = { C2 = "24 hours", C4 = "3 business days" }
    """  # noqa: D301 - click wants the backspace, not a backslash
    settings = kafka_of(ctx)
    tenant_id, new_policy = policy_of(file, settings.tenancy, tenant)
    if not as_json:
        print_table(_table(new_policy.rules))
    report = run(_apply(settings, tenant_id, new_policy))
    if as_json:
        click.echo(json_line(report))
    elif report.changed:
        click.echo(
            f"in force for {tenant_id} as {report.policy}" + (f", in place of {report.replaces}" if report.replaces else "")
        )
    else:
        click.echo(f"nothing to do: this is the policy in force for {tenant_id}, {report.policy}")


@policy.command()
@click.option("--tenant", metavar="ID", help="Whose policy. May be left out where one tenant is configured.")
@json_option
@config_option
@click.pass_context
def show(ctx: click.Context, *, tenant: str | None, as_json: bool) -> None:
    """Show the policy in force. Exit code 1 if there is none."""
    settings = kafka_of(ctx)
    tenant_id = tenant_of(settings.tenancy, tenant)
    current = run(_show(settings, tenant_id))
    if current is None or current.policy is None:
        click.echo("null" if as_json else f"{tenant_id} has no policy: intercom-streams policy apply FILE")
        ctx.exit(1)
    elif as_json:
        summary = {"tenant": tenant_id, "policy": current.id, "replaces": current.replaces}
        click.echo(json_line({**summary, "rules": plain(current.policy)["rules"]}))
    else:
        click.echo(f"policy of {tenant_id}: {current.id}")
        print_table(_table(current.policy.rules))


async def _apply(settings: Settings, tenant: str, new_policy: Policy) -> PolicyReport:
    avro = await configured_codec(settings)
    current = await _current(settings, avro, tenant)
    if current is not None and current.policy is not None and current.policy.hash == new_policy.hash:
        return PolicyReport(tenant, current.id, current.replaces, changed=False, rules=new_policy.rules)
    replaces = current.id if current else None
    id_ = derived(tenant, _KIND, new_policy.hash, replaces)
    fact = decision(id=id_, tenant=tenant, kind=_KIND, replaces=replaces, policy=new_policy)
    await append(settings.kafka, [fact_record(avro, fact)])
    stands = await _current(settings, avro, tenant)
    if stands is not None and stands.id != fact.id:
        raise click.ClickException(
            f"Your policy has no effect: {_who(stands)} applied {stands.id} a moment before. `intercom-streams policy show` shows it; "
            "apply yours again if it is to take its place."
        )
    return PolicyReport(tenant, fact.id, replaces, changed=True, rules=new_policy.rules)


def _who(fact: Fact) -> str:
    return (fact.person.actor if fact.person else None) or (fact.actor.id if fact.actor else "somebody")


async def _show(settings: Settings, tenant: str) -> Fact | None:
    return await _current(settings, await configured_codec(settings), tenant)


async def _current(settings: Settings, avro: Avro, tenant: str) -> Fact | None:
    return in_force(await find_understood(settings.kafka, avro, tenant, {facts.type_of(_KIND)}))


def _table(rules: tuple[facts.Rule, ...]) -> TextTable:
    table = TextTable("workspace", "who may have an account", "roles", "in force", "grace")
    for rule in rules:
        allowed = "; ".join(f"{role}: {', '.join(names)}" for role, names in rule.intercom_roles.items()) or ", ".join(rule.roles)
        table.add_row(rule.app_id, rule.validity, allowed, _bounds(rule), _graces(rule))
    return table


def _bounds(rule: facts.Rule) -> str:
    starts = f"from {timestamp(rule.starts)}" if rule.starts is not None else ""
    return (
        " ".join(part for part in (starts, f"until {timestamp(rule.until)}" if rule.until is not None else "") if part)
        or "always"
    )


def _graces(rule: facts.Rule) -> str:
    return ", ".join(f"{check} {grace.amount} {grace.unit.replace('_', ' ')}" for check, grace in sorted(rule.grace.items()))
