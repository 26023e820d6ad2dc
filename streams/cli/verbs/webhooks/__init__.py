"""`webhooks list|pause|resume|try`: the endpoints that findings are posted to."""

import time
from typing import Any

import click
import msgspec

from connectors.kafka.group_lag import group_lag
from connectors.webhooks.sender import EndpointSender, PostAnswer, WebhookResult
from schemas.cloudevents import timestamp
from schemas.errors import BadConfiguration, Unavailable
from schemas.ids import derived
from schemas.json_lines import json_line
from schemas.tenancy import Tenancy, WebhookEndpoint
from schemas.webhooks.endpoint_states import EndpointState, EndpointStatus
from schemas.webhooks.posted import SOURCE, PostedEvent
from streams.cli.group import CommandGroup
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, settings_of
from streams.cli.run_async import run
from streams.cli.verbs import VERBS
from streams.ops.codec import configured_codec
from streams.ops.deliver.endpoint import group_of
from streams.ops.deliver.states import change, states
from streams.settings import Settings

webhooks = CommandGroup("webhooks", help=VERBS["webhooks"])


class EndpointListing(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint: its state since when (ms; null where it never had another), by whom and why, and the offsets it has not had yet."""

    endpoint: str
    tenant: str
    state: EndpointStatus
    since: int | None
    actor: str | None
    reason: str | None
    behind: int


class EndpointTrial(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint answered to an event that says that it is a test."""

    endpoint: str
    tenant: str
    result: str
    reason: str
    ms: int


_tenant_option = click.option(
    "--tenant", metavar="ID", help="Whose endpoint; needed where several tenants have one of that name."
)


@webhooks.command("list")
@json_option
@config_option
@click.pass_context
def list_(ctx: click.Context, /, *, as_json: bool) -> None:
    """Show every endpoint: whether it is paused, since when and why, and how far it is behind."""
    rows = run(_rows(settings_of(ctx)))
    if not rows and not as_json:
        click.echo("no tenant has [[tenants.webhooks]]; docs/subscribers.md")
    for row in rows:
        if as_json:
            click.echo(json_line(row))
            continue
        since = f" since {timestamp(row.since)}" if row.since is not None else ""
        by = f" by {row.actor or 'the product'}" if row.since is not None else ""
        why = f": {row.reason}" if row.reason else ""
        click.echo(f"{row.endpoint} of {row.tenant}: {row.state}{since}{by}{why}; {row.behind:,} offsets behind")


@webhooks.command()
@click.argument("name", metavar="NAME")
@_tenant_option
@click.option("--reason", metavar="TEXT", help="Why; it is kept with who did it and when.")
@json_option
@config_option
@click.pass_context
def pause(ctx: click.Context, /, *, name: str, tenant: str | None, reason: str | None, as_json: bool) -> None:
    """Post nothing to an endpoint until it is resumed. What it misses stays in Kafka."""
    _show(run(_change(settings_of(ctx), name, tenant, EndpointStatus.PAUSED, reason)), as_json=as_json)


@webhooks.command()
@click.argument("name", metavar="NAME")
@_tenant_option
@click.option("--reason", metavar="TEXT", help="Why; it is kept with who did it and when.")
@json_option
@config_option
@click.pass_context
def resume(ctx: click.Context, /, *, name: str, tenant: str | None, reason: str | None, as_json: bool) -> None:
    """Post to an endpoint again, from where it was paused on."""
    _show(run(_change(settings_of(ctx), name, tenant, EndpointStatus.ACTIVE, reason)), as_json=as_json)


@webhooks.command("try")
@click.argument("name", metavar="NAME")
@_tenant_option
@json_option
@config_option
@click.pass_context
def try_(ctx: click.Context, /, *, name: str, tenant: str | None, as_json: bool) -> None:
    """Post one signed event of the type `webhook.test` to an endpoint, and say what it answers. No finding is touched."""
    settings = settings_of(ctx)
    owner, endpoint = _find(settings.tenancy, name, tenant)
    trial = run(_try(owner, endpoint))
    if as_json:
        click.echo(json_line(trial))
    elif trial.result == WebhookResult.ACCEPTED:
        click.echo(f"{name} accepted a signed test event after {trial.ms} ms")
    if trial.result != WebhookResult.ACCEPTED:
        raise Unavailable(f"{name} did not accept a signed test event: {trial.reason}")


async def _rows(settings: Settings) -> list[EndpointListing]:
    kafka, avro = settings.kafka, await configured_codec(settings)
    known = await states(kafka, avro)
    rows = []
    for tenant in settings.tenancy.tenants.values():
        for endpoint in tenant.webhooks:
            state = known.get(f"{tenant.id}|{endpoint.name}")
            async with group_lag(kafka, group_of(kafka, tenant.id, endpoint.name), kafka.topic(SOURCE)) as lag:
                behind = sum((await lag()).values())
            rows.append(
                EndpointListing(
                    endpoint=endpoint.name, tenant=tenant.id, state=state.state if state else EndpointStatus.ACTIVE,
                    since=state.since if state else None, actor=state.actor if state else None, reason=state.reason if state else None,
                    behind=behind,
                )
            )  # fmt: skip
    return rows


async def _change(settings: Settings, name: str, tenant: str | None, status: EndpointStatus, reason: str | None) -> EndpointState:
    owner, endpoint = _find(settings.tenancy, name, tenant)
    kafka, avro = settings.kafka, await configured_codec(settings)
    return await change(kafka, avro, owner, endpoint.name, status, actor=user_name(), reason=reason)


async def _try(tenant: str, endpoint: WebhookEndpoint) -> EndpointTrial:
    now = time.time_ns() // 1_000_000
    body: dict[str, Any] = {
        "type": "webhook.test",
        "timestamp": timestamp(now),
        "data": {"tenant": tenant, "endpoint": endpoint.name},
    }
    event = PostedEvent(
        id=derived("webhook.test", tenant, endpoint.name, now), type="webhook.test", finding="", body=json_line(body)
    )
    async with EndpointSender(endpoint, "intercom-streams/try") as sender:
        began = time.monotonic()
        answer: PostAnswer = await sender.post(event)
        ms = int((time.monotonic() - began) * 1000)
    return EndpointTrial(endpoint=endpoint.name, tenant=tenant, result=answer.result, reason=answer.reason, ms=ms)


def _find(tenancy: Tenancy, name: str, tenant: str | None) -> tuple[str, WebhookEndpoint]:
    every = [(each.id, endpoint) for each in tenancy.tenants.values() for endpoint in each.webhooks]
    found = [(owner, endpoint) for owner, endpoint in every if endpoint.name == name and tenant in (None, owner)]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadConfiguration(
            f"{len(found)} tenants have an endpoint {name!r}: add --tenant {' or --tenant '.join(owner for owner, _ in found)}"
        )
    known = ", ".join(sorted(endpoint.name for owner, endpoint in every if tenant in (None, owner))) or "none"
    raise BadConfiguration(f"no [[tenants.webhooks]] has the name {name!r}; known: {known}")


def _show(state: EndpointState, *, as_json: bool) -> None:
    if as_json:
        click.echo(json_line(state))
    else:
        click.echo(f"{state.name} of {state.tenant} is {state.state} since {timestamp(state.since)}")
