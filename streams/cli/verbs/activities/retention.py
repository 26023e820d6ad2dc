"""`activities policy show|set|what-if`: for how long the details of activities are kept."""

import time
from difflib import get_close_matches

import click

from schemas.activities.retention import (
    ALL_STATISTICS,
    DEFAULT_DAYS,
    MOST_DAYS,
    RATES,
    STATISTICS,
    UNLIMITED,
    RetentionMessage,
    RetentionPolicy,
    checked,
)
from schemas.cloudevents import timestamp
from schemas.errors import BadConfiguration, InvalidRecord
from schemas.json_lines import json_line
from schemas.versioned import OLDEST
from streams.cli.decisions.options import tenant_option
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.cli.verbs.activities.adoption import activities
from streams.core.activities.types import TYPES, is_type
from streams.ops.activities.policy import RetentionChange, RetentionRequest, change_policy, in_force
from streams.ops.activities.what_if import RetentionPreview, preview
from streams.ops.codec import configured_codec
from streams.settings import Settings

Asked = tuple[int | None, tuple[str, ...], tuple[str, ...]]
"""What the command line says of days, of types and of rates."""

_UNLIMITED = "unlimited"
_DEFAULT = "default"


@activities.group("policy")
def policy() -> None:
    """Say for how long the details of activities are kept; first, last and count stay whatever it says."""


class DaysParam(click.ParamType):
    """Take a number of days, or `unlimited`."""

    name = "days"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the days."""
        if isinstance(value, int):
            return value
        if value == _UNLIMITED:
            return UNLIMITED
        text = str(value)
        digits = text.isascii() and text.isdigit() and len(text) <= len(str(MOST_DAYS))
        if not digits or not 1 <= int(text) <= MOST_DAYS:
            self.fail(f"{value!r} is neither a number of days from 1 to {MOST_DAYS} nor {_UNLIMITED}", param, ctx)
        return int(text)


_DAYS = DaysParam()
_days_option = click.option("--days", type=_DAYS, metavar="DAYS", help="For all types without days of their own.")
_type_option = click.option(
    "--type", "types", multiple=True, metavar="TYPE=DAYS", help=f"For one type; {_DEFAULT} takes its own days away. Repeatable."
)

_rate_option = click.option(
    "--rate", "rates", multiple=True, metavar="TYPE=RATE",
    help=f"What becomes of statistics of contents ({', '.join(RATES)}; {_DEFAULT} takes the type's own away), as in content_stat.email=count or content_stat.*=drop. Repeatable.",
)  # fmt: skip


@policy.command()
@tenant_option
@json_option
@config_option
@click.pass_context
def show(ctx: click.Context, /, *, tenant: str | None, as_json: bool) -> None:
    """Show the policy in force, and who set it."""
    settings = kafka_of(ctx)
    id_ = tenant_of(settings.tenancy, tenant)
    message = run(in_force(settings.kafka)).get(id_)
    if as_json:
        click.echo(json_line(_shown(id_, message)))
        return
    by = "the default" if message is None else f"version {message.version}, {timestamp(message.time)}, by {message.actor or '?'}"
    click.echo(f"details of activities of {id_} are kept ({by}):")
    for line in _lines(message.policy if message else RetentionPolicy()):
        click.echo(f"  {line}")


@policy.command("set")
@_days_option
@_type_option
@_rate_option
@tenant_option
@json_option
@config_option
@click.pass_context
def set_(
    ctx: click.Context, /, *, days: int | None, types: tuple[str, ...], rates: tuple[str, ...], tenant: str | None, as_json: bool
) -> None:
    """Change for how long details are kept. What is not named stays as it is.

    Shorter: workers take what is older away, and its words are off the disks about a day later. Longer: it holds from now on;
    `activities restore` brings back what the raw topics still have. `what-if` says beforehand what a change would take.
    """
    changed(RetentionPolicy(), days, types, rates)  # what cannot be meant is refused before Kafka is asked
    settings = kafka_of(ctx)
    id_ = tenant_of(settings.tenancy, tenant)
    change = run(_set(settings, id_, (days, types, rates)))
    if as_json:
        click.echo(json_line({"changed": change.changed, **_shown(id_, change.message)}))
    elif not change.changed or change.message is None:
        click.echo(f"nothing to do: this is the policy in force for {id_}")
    else:
        click.echo(f"in force for {id_} as version {change.message.version}:")
        for line in _lines(change.message.policy):
            click.echo(f"  {line}")


@policy.command("what-if")
@_days_option
@_type_option
@_rate_option
@tenant_option
@json_option
@config_option
@click.pass_context
def what_if(
    ctx: click.Context, /, *, days: int | None, types: tuple[str, ...], rates: tuple[str, ...], tenant: str | None, as_json: bool
) -> None:
    """Say how many details a change would take away, by type, and change nothing."""
    changed(RetentionPolicy(), days, types, rates)
    settings = kafka_of(ctx)
    id_ = tenant_of(settings.tenancy, tenant)
    found = run(_what_if(settings, id_, (days, types, rates)))
    if as_json:
        click.echo(json_line(found))
        return
    click.echo(f"{found.details:,} activities of {id_} have details; {found.expire:,} would lose them, none its count")
    for each in found.types:
        if each.expire or each.days != each.days_before:
            kept = f"{_text(each.days_before)} now, then {_text(each.days)}"
            click.echo(f"  {each.type}: {each.expire:,} of {each.details:,} ({kept})")
    if found.longer:
        click.echo(f"longer than now: {', '.join(found.longer)}; `activities restore` brings back what the raw topics still have")


async def _set(settings: Settings, tenant: str, asked: Asked) -> RetentionChange:
    request = RetentionRequest(tenant, user_name(), time.time_ns() // 1_000_000, settings.worker.encoding or OLDEST)
    avro = await configured_codec(settings)
    return await change_policy(settings.kafka, avro, lambda present: changed(present, *asked), request)


async def _what_if(settings: Settings, tenant: str, asked: Asked) -> RetentionPreview:
    before = (await in_force(settings.kafka)).get(tenant)
    present = before.policy if before else RetentionPolicy()
    wanted = changed(present, *asked)
    avro = await configured_codec(settings)
    return await preview(settings.kafka, avro, tenant, present, wanted, now=time.time_ns() // 1_000_000)


def changed(policy_: RetentionPolicy, days: int | None, types: tuple[str, ...], rates: tuple[str, ...] = ()) -> RetentionPolicy:
    """Return a policy with what the command line says. Raises BadConfiguration where that is none."""
    by_type = {**policy_.by_type}
    for text in types:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise BadConfiguration(f"--type {text}: give it as TYPE=DAYS, such as call.ended=30")
        if value == _DEFAULT:
            by_type.pop(name, None)
        else:
            by_type[_known(name, "--type")] = _DAYS.convert(value, None, None)
    try:
        kept = policy_.days if days is None else days
        return checked(RetentionPolicy(kept, tuple(by_type.items()), tuple(_rated(policy_, rates).items())))
    except InvalidRecord as error:
        raise BadConfiguration(str(error)) from error


def _known(name: str, option: str) -> str:
    """Return a type. Raises BadConfiguration for what no activity can be: what the option says would never apply to anything."""
    if is_type(name):
        return name
    found = [f"{STATISTICS}other"] if name.startswith(STATISTICS) else get_close_matches(name, sorted(TYPES))
    meant = f"; did you mean {' or '.join(found)}?" if found else "; docs/activities.md has all of them"
    raise BadConfiguration(f"{option} {name}: it is no type of activities{meant}")


def _rated(policy_: RetentionPolicy, rates: tuple[str, ...]) -> dict[str, str]:
    by_type = dict(policy_.rates)
    for text in rates:
        name, equals, rate = text.partition("=")
        if not name or not equals:
            raise BadConfiguration(f"--rate {text}: give it as TYPE=RATE, such as content_stat.email=count")
        if rate == _DEFAULT:
            by_type.pop(name, None)
        else:
            by_type[name if name == ALL_STATISTICS else _known(name, "--rate")] = rate
    return by_type


def _shown(tenant: str, message: RetentionMessage | None) -> dict[str, object]:
    policy_ = message.policy if message else RetentionPolicy()
    return {
        "tenant": tenant,
        "version": message.version if message else 0,
        "actor": message.actor if message else None,
        "days": policy_.days or None,
        "types": {name: days or None for name, days in policy_.types},
        "rates": dict(policy_.rates),
    }


def _lines(policy_: RetentionPolicy) -> list[str]:
    note = " (the default)" if policy_ == RetentionPolicy() and policy_.days == DEFAULT_DAYS else ""
    own = [f"{name}: {_text(days)}" for name, days in policy_.types]
    own += [f"{name}: {rate}" for name, rate in policy_.rates]
    return [*own, f"{'all others' if own else 'all types'}: {_text(policy_.days)}{note}"]


def _text(days: int) -> str:
    return "without limit" if days == UNLIMITED else f"{days} days"
