"""`access report`: who had access at an instant, who was tested, and what people decided; or all that happened in a period."""

import sys
import time
from pathlib import Path

import click

from schemas.access.reports import AccessReport
from schemas.errors import BadConfiguration
from streams.cli.access.exported import FILES, tenant_of_files
from streams.cli.access.reading import shown_progress
from streams.cli.decisions.options import tenant_option
from streams.cli.options import config_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.cli.time_param import TimeParam
from streams.core.access.reports.scope import ReportScope
from streams.ops.codec import configured_codec
from streams.ops.ledger.export import codec_of
from streams.ops.ledger.files_log import FilesLog
from streams.ops.reports.forms import FORMS
from streams.ops.reports.read_files import read_report_of_files
from streams.ops.reports.read_log import read_report
from streams.settings import Settings


@click.command("report")
@click.option("--as-of", "as_of", type=TimeParam(), metavar="TIME", help="What was true at that instant.")
@click.option("--from", "since", type=TimeParam(), metavar="TIME", help="With --to: all that happened in a period.")
@click.option("--to", "until", type=TimeParam(), metavar="TIME", help="The end of the period; what was true is as of it.")
@click.option(
    "--known-at",
    type=click.IntRange(min=0),
    metavar="OFFSET",
    help="By what the log of facts has up to that offset, also what became known later. Default: by what it had then.",
)
@FILES
@click.option("--format", "form", type=click.Choice(list(FORMS)), default="json", show_default=True, help="JSON has everything.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Default: standard output.")
@tenant_option
@config_option
@click.pass_context
def report(
    ctx: click.Context, *, as_of: int | None, since: int | None, until: int | None, known_at: int | None, files: Path | None, form: str,
    output: Path | None, tenant: str | None,
) -> None:  # fmt: skip
    """Make a report for an auditor: who had access, what each check answered, who left and how late their access ended, and who decided what.

    The facts of the log are read into an empty state by the code that answers the checks. So the same arguments give the same bytes, on every
    machine and at any time, and nobody who works there is disturbed. With --files it needs no Kafka and no configuration.
    """  # fmt: skip
    scope = scope_of(as_of, since, until, known_at, now=time.time_ns() // 1_000_000)
    if form == "pdf" and output is None and sys.stdout.isatty():
        raise click.UsageError("a PDF is not for the terminal: give --output FILE")
    if files is not None:
        found = read_report_of_files(FilesLog.open(files), codec_of(files), tenant_of_files(files, tenant), scope)
    else:
        settings = kafka_of(ctx)
        found = run(_read(settings, tenant_of(settings.tenancy, tenant), scope))
    made = FORMS[form](found)
    if output is None:
        sys.stdout.buffer.write(made)
        sys.stdout.buffer.flush()
    else:
        write(output, made)


def scope_of(as_of: int | None, since: int | None, until: int | None, known_at: int | None, *, now: int) -> ReportScope:
    """Return what a report is about. Raises UsageError where the options do not say it, or name an instant that is still to come."""
    if (as_of is None) == (until is None) or (since is None) != (until is None):
        raise click.UsageError("say when: --as-of TIME, or --from TIME --to TIME")
    end = as_of if as_of is not None else until
    assert end is not None
    if since is not None and since >= end:
        raise click.UsageError("--from has to be before --to")
    if end > now and known_at is None:
        raise click.UsageError(
            "that instant is still to come: further facts can change what the report says. With --known-at OFFSET it says what would be true by then"
        )
    return ReportScope(end, since, known_at)


def write(output: Path, made: bytes) -> None:
    """Write a file. Raises BadConfiguration where that cannot be done."""
    try:
        output.write_bytes(made)
    except OSError as error:
        raise BadConfiguration(f"{output.name} cannot be written: {error.strerror}. Is the path right?") from None


async def _read(settings: Settings, tenant: str, scope: ReportScope) -> AccessReport:
    avro = await configured_codec(settings)
    with shown_progress("reading facts") as on_progress:
        return await read_report(settings.kafka, avro, tenant, scope, on_progress=on_progress)
