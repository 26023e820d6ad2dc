"""Options that every verb shares: where the configuration is, and output for programs."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from streams.settings import KAFKA_ONLY, Settings, load

Verb = TypeVar("Verb", bound=Callable[..., Any] | click.Command)


def _remember(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Keep the file named after the verb where `settings_of` finds it; it overrules one named before the verb."""
    if value is not None:
        ctx.find_root().obj = value


def config_option(function: Verb) -> Verb:
    """Add `--config FILE` after the verb, as well as before it. The function gets no argument for it: ask `settings_of`."""
    return click.option(
        "--config", type=click.Path(dir_okay=False), callback=_remember, expose_value=False, is_eager=True, metavar="FILE",
        help="Configuration file (TOML). Default: $INTERCOM_STREAMS_CONFIG, else intercom-streams.toml.",
    )(function)  # fmt: skip


def json_option(function: Verb) -> Verb:
    """Add `--json`; the function gets `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object per line, for programs.")(function)


def config_of(ctx: click.Context) -> str | None:
    """Return the file the person named, or None: for verbs that hand it on to a process they start."""
    named = ctx.find_root().obj
    return named if isinstance(named, str) else None


def settings_of(ctx: click.Context) -> Settings:
    """Return the settings of this call; raise `BadConfiguration` with every problem named."""
    return load(config_of(ctx))


def kafka_of(ctx: click.Context) -> Settings:
    """Return the settings for a verb that only talks to Kafka: no file and no app secret is needed."""
    return load(config_of(ctx), parts=KAFKA_ONLY)
