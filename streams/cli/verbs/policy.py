"""`policy apply|show`: who may have an account in each workspace."""

import getpass
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from connectors.kafka import schema_registry as registry
from connectors.kafka.fact_log import append, fact_record, find_facts
from connectors.policy import file as policy_file
from schemas.access import fact_records, facts
from schemas.access.facts import Actor, Fact, FactPersonalData, Policy
from schemas.codec import Avro
from schemas.errors import BadConfiguration
from schemas.ids import derived
from schemas.plain import plain
from schemas.tenancy import Tenancy
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.core.access.checks.policy import VALIDITIES
from streams.core.access.facts.precedence import in_force
from streams.settings import Settings

_KIND = "policy.applied"


class PolicyReport(msgspec.Struct, frozen=True):
    """What `apply` did: the policy's id, the one it replaced, and whether anything changed."""

    tenant: str
    policy: str
    replaces: str | None
    changed: bool
    rules: tuple[facts.Rule, ...]


@click.group()
def policy() -> None:
    """Apply and show access policies."""


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
    """  # noqa: D301 - click wants the backspace, not a backslash
    settings = kafka_of(ctx)
    read = policy_file.read(file, VALIDITIES)
    if tenant and read.tenant and tenant != read.tenant:
        raise BadConfiguration(f"{file.name} is the policy of tenant '{read.tenant}', and --tenant says '{tenant}'.")
    whose = tenant_of(settings.tenancy, tenant or read.tenant)
    _check_workspaces(settings.tenancy, whose, read.policy)
    if not as_json:
        Console().print(_table(read.policy.rules))
    done = run(_apply(settings, whose, read.policy))
    if as_json:
        click.echo(msgspec.json.encode(done))
    elif done.changed:
        click.echo(f"in force for {whose} as {done.policy}" + (f", in place of {done.replaces}" if done.replaces else ""))
    else:
        click.echo(f"nothing to do: this is the policy in force for {whose}, {done.policy}")


@policy.command()
@click.option("--tenant", metavar="ID", help="Whose policy. May be left out where one tenant is configured.")
@json_option
@config_option
@click.pass_context
def show(ctx: click.Context, *, tenant: str | None, as_json: bool) -> None:
    """Show the policy in force. Exit code 1 if there is none."""
    settings = kafka_of(ctx)
    whose = tenant_of(settings.tenancy, tenant)
    current = run(_show(settings, whose))
    if current is None or current.policy is None:
        click.echo("null" if as_json else f"{whose} has no policy: intercom-streams policy apply FILE")
        ctx.exit(1)
    elif as_json:
        shown = {"tenant": whose, "policy": current.id, "replaces": current.replaces}
        click.echo(msgspec.json.encode({**shown, "rules": plain(current.policy)["rules"]}))
    else:
        click.echo(f"policy of {whose}: {current.id}")
        Console().print(_table(current.policy.rules))


async def _apply(settings: Settings, tenant: str, wanted: Policy) -> PolicyReport:
    avro = await registry.codec(settings.registry.url, settings.kafka.topic_prefix)
    current = await _current(settings, avro, tenant)
    if current is not None and current.policy is not None and current.policy.hash == wanted.hash:
        return PolicyReport(tenant, current.id, current.replaces, changed=False, rules=wanted.rules)
    replaces = current.id if current else None
    fact = Fact(
        id=derived(tenant, _KIND, wanted.hash, replaces),
        tenant=tenant,
        kind=_KIND,
        source="operator",
        basis="decided",
        actor=Actor(kind="operator", id="command line"),
        person=FactPersonalData(actor=_operator()),
        replaces=replaces,
        policy=wanted,
    )
    await append(settings.kafka, [fact_record(avro, fact)])
    return PolicyReport(tenant, fact.id, replaces, changed=True, rules=wanted.rules)


async def _show(settings: Settings, tenant: str) -> Fact | None:
    return await _current(settings, await registry.codec(settings.registry.url, settings.kafka.topic_prefix), tenant)


async def _current(settings: Settings, avro: Avro, tenant: str) -> Fact | None:
    values = await find_facts(settings.kafka, tenant, {facts.type_of(_KIND)})
    return in_force(fact_records.decode(avro, value) for value in values)


def _check_workspaces(tenancy: Tenancy, tenant: str, wanted: Policy) -> None:
    unknown = sorted({rule.app_id for rule in wanted.rules if tenancy.owners.get(rule.app_id) != tenant})
    if unknown:
        theirs = ", ".join(sorted(app_id for app_id, owner in tenancy.owners.items() if owner == tenant)) or "none"
        raise BadConfiguration(f"{tenant} has no workspace {', '.join(unknown)}. Its workspaces: {theirs}.")


def _operator() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user without a name
        return None


def _table(rules: tuple[facts.Rule, ...]) -> Table:
    table = Table("workspace", "who may have an account", "roles", box=None)
    for rule in rules:
        allowed = "; ".join(f"{role}: {', '.join(names)}" for role, names in rule.intercom_roles.items()) or ", ".join(rule.roles)
        table.add_row(rule.app_id, rule.validity, allowed)
    return table
