"""`stack up|down|status`: the local Kafka, Redis and schema registry, which run until `stack down`."""

import sys

import click

from connectors.local.addresses import Addresses
from connectors.local.progress import ProgressLines
from connectors.local.stack import LocalStack, ServiceStatus
from schemas.json_lines import json_line
from streams.cli.group import CommandGroup

_name = click.option("--name", default="default", show_default=True, help="Which stack; each has its own ports and data.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group(cls=CommandGroup)
def stack() -> None:
    """Start, stop and show a real Kafka, Redis and schema registry on this machine."""


@stack.command()
@_name
@click.option(
    "--brokers", type=click.IntRange(1, 9), help="How many Kafka brokers; with 3, three copies of which two must have a write."
)
@click.option("--registry", is_flag=True, help="With a schema registry (Apicurio, Confluent API); the first time fetches 158 MB.")
@click.option("--port", type=click.IntRange(1, 65535), help="Kafka's port. Default: the one it had, else a free one.")
@click.option("--fresh", is_flag=True, help="Throw this stack's data away first.")
@click.option(
    "--env",
    "as_env",
    is_flag=True,
    help='Print only NAME=value lines, for: set -a; eval "$(intercom-streams stack up --env)"; set +a',
)
@_json
def up(*, name: str, brokers: int | None, registry: bool, port: int | None, fresh: bool, as_env: bool, as_json: bool) -> None:
    """Start what does not run yet; return when all of it serves. It keeps running until `stack down`."""
    local = LocalStack.named(name, ProgressLines(sys.stderr))
    addresses = local.up(brokers=brokers, registry=registry, fresh=fresh, port=port)
    if as_json:
        _print_json(name, addresses, local.status())
    elif as_env:
        click.echo("\n".join(_environment_lines(addresses)))
    else:
        click.echo("\n".join([f"Stack {name!r} is up:", *(f"  {line}" for line in _environment_lines(addresses)), _hint(name)]))


@stack.command()
@_name
@click.option("--delete", is_flag=True, help="Remove its data too.")
@_json
def down(*, name: str, delete: bool, as_json: bool) -> None:
    """Stop everything. The data stays for the next `stack up`, unless --delete."""
    was_running = LocalStack.named(name, ProgressLines(sys.stderr)).down(remove=delete)
    if as_json:
        click.echo(json_line({"name": name, "ran": was_running}))
    else:
        click.echo(f"Stack {name!r} {'is stopped' if was_running else 'was not running'}.")


@stack.command()
@_name
@_json
@click.pass_context
def status(context: click.Context, name: str, as_json: bool) -> None:
    """Show each service; exit code 1 unless all of them run."""
    local = LocalStack.named(name)
    services = local.status()
    if as_json:
        _print_json(name, local.addresses if services else None, services)
    else:
        rows = [
            f"{each.name:12} {each.state:8} port {each.port:<6} {f'pid {each.pid}' if each.pid else '':12} {each.log}"
            for each in services
        ]
        click.echo("\n".join(rows) or f"There is no stack {name!r}. `intercom-streams stack up` starts one.")
    if not _all_run(services):
        context.exit(1)


def _print_json(name: str, addresses: Addresses | None, services: list[ServiceStatus]) -> None:
    environment = {} if addresses is None else addresses.environment()
    report = {"name": name, "running": _all_run(services), "environment": environment, "services": services}
    click.echo(json_line(report))


def _all_run(services: list[ServiceStatus]) -> bool:
    return bool(services) and all(service.state == "running" for service in services)


def _environment_lines(addresses: Addresses) -> list[str]:
    return [f"{name}={value}" for name, value in addresses.environment().items()]


def _hint(name: str) -> str:
    name_option = "" if name == "default" else f" --name {name}"
    return f'For this shell:  set -a; eval "$(intercom-streams stack up{name_option} --env)"; set +a'
