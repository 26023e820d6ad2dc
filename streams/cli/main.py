"""The command line. Each verb is loaded only when it is called, so `--help` and short commands start fast."""

import contextlib
import errno
import gc
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from schemas.errors import IntercomStreamsError, MustStop
from streams.cli.verbs import VERBS
from streams.supervise.self_process import NEEDS_OPERATOR

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Verbs(click.Group):
    """The verbs of the table. The module of a verb is loaded when the verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        name = cmd_name.replace("-", "_")
        with _without_gc():
            command = getattr(importlib.import_module(f"streams.cli.verbs.{name}"), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"streams.cli.verbs.{name}:{name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@contextmanager
def _without_gc() -> Iterator[None]:
    """Look for no garbage in cycles: modules make hundreds of thousands of objects, nearly all to stay, and each look walks them again.

    A worker's start takes a tenth less CPU.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


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
    """Run the command line. Our errors become one paragraph on stderr, and exit code 3 if only an operator can help, else 1."""
    try:
        try:
            root(prog_name="intercom-streams")
        finally:
            if sys.stdout is not None:  # it may have been closed by who called
                sys.stdout.flush()  # a short output meets a full disk only here
    except IntercomStreamsError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(NEEDS_OPERATOR if isinstance(error, MustStop) else 1)
    except OSError as error:
        if error.errno not in (*_NO_ROOM, errno.EPIPE) or error.filename is not None:
            raise
        _leave_output()
        if error.errno != errno.EPIPE:  # who reads it has seen enough
            click.echo(f"Error: the output cannot be written: {error.strerror}. Make room, or send it elsewhere.", err=True)
        sys.exit(1)


def _leave_output() -> None:
    """Let the interpreter not write at its end what could not be written."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
