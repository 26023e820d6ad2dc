"""The command line: a table of verbs, each loaded only when it is called, so that `--help` and short commands answer at once."""

import importlib
import sys
from types import MappingProxyType

import click

from schemas.errors import IntercomStreamsError, MustStop
from streams.supervise.self_process import NEEDS_OPERATOR

VERBS = MappingProxyType({
    "demo": ("streams.cli.verbs.demo:demo", "Show the whole story on a real Kafka, on this machine."),
    "stack": ("streams.cli.verbs.stack:stack", "Start, stop and show the local Kafka, Redis and schema registry."),
    "topics": ("streams.cli.verbs.topics:topics", "Create the topics, or report where they differ."),
    "ingress": ("streams.cli.verbs.ingress:ingress", "Accept Intercom's webhooks."),
    "worker": ("streams.cli.verbs.worker:worker", "Merge events and evaluate access."),
    "run": ("streams.cli.verbs.run:run", "Run ingress and workers on this machine, supervised."),
    "send": ("streams.cli.verbs.send:send", "Sign files and post them as Intercom would."),
    "tail": ("streams.cli.verbs.tail:tail", "Show any topic, decoded."),
    "staff": ("streams.cli.verbs.staff:staff", "Import the staff directory."),
    "policy": ("streams.cli.verbs.policy:policy", "Apply and show access policies."),
    "simulate": ("streams.cli.verbs.simulate:simulate", "Send a small company's history as signed webhooks."),
})  # fmt: skip


class Verbs(click.Group):
    """Load a verb's module when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{name} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, about) for verb, (_, about) in VERBS.items()])


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="intercom-streams", prog_name="intercom-streams")
@click.option(
    "--config", "config", type=click.Path(dir_okay=False), envvar="INTERCOM_STREAMS_CONFIG",
    help="Configuration file (TOML). Default: intercom-streams.toml.",
)  # fmt: skip
@click.pass_context
def root(ctx: click.Context, config: str | None) -> None:
    """Intercom's webhooks as facts on Kafka: people, organisations, and access violations within a second."""
    ctx.obj = config


def main() -> None:
    """Run the command line; our own errors become one paragraph on stderr, and exit code 3 where only a person can help, else 1."""
    try:
        root(prog_name="intercom-streams")
    except IntercomStreamsError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(NEEDS_OPERATOR if isinstance(error, MustStop) else 1)
