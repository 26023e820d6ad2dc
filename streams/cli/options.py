"""Options that several verbs share: the configuration file, the workspace, and output for programs."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from streams.settings import KAFKA_ONLY, Settings, load

Verb = TypeVar("Verb", bound=Callable[..., Any] | click.Command)

workspace_option = click.option("--workspace", metavar="APP_ID", help="Which workspace. May be left out where one is configured.")


def _store_path(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Store the path given after the verb where `settings_of` reads it; it overrides a path given before the verb."""
    if value is not None:
        ctx.find_root().obj = value


def config_option(function: Verb) -> Verb:
    """Accept `--config FILE` after the verb too. The function gets no argument for it; it calls `settings_of`."""
    return click.option(
        "--config", type=click.Path(dir_okay=False), callback=_store_path, expose_value=False, is_eager=True, metavar="FILE",
        help="Configuration file (TOML). Default: $INTERCOM_STREAMS_CONFIG, else intercom-streams.toml.",
    )(function)  # fmt: skip


def json_option(function: Verb) -> Verb:
    """Add `--json`; the function gets the argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object per line, for programs.")(function)


def config_of(ctx: click.Context) -> str | None:
    """Return the path given on the command line, or None; for verbs that pass it to a process they start."""
    path = ctx.find_root().obj
    return path if isinstance(path, str) else None


def settings_of(ctx: click.Context) -> Settings:
    """Return the settings of this call; raise `BadConfiguration` that names every problem."""
    return load(config_of(ctx))


def kafka_of(ctx: click.Context) -> Settings:
    """Return the settings for a verb that only uses Kafka, which needs neither a file nor an app secret."""
    return load(config_of(ctx), parts=KAFKA_ONLY)


def tenancy_of(ctx: click.Context) -> Settings:
    """Return the settings for a verb that uses Kafka and has to know every tenant: a file is needed, but no secret of an app's."""
    return load(config_of(ctx), secrets=False)
