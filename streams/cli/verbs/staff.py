"""`staff import`: import a staff directory's file as facts, all of them or none."""

import time
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from connectors.kafka import schema_registry as registry
from connectors.kafka.fact_log import append, fact_record
from connectors.staff.csv.columns import FIELDS, normal_column
from connectors.staff.csv.facts import StaffImport, records, snapshot
from connectors.staff.csv.parse_row import BadRow, StaffRow, rows
from connectors.staff.csv.read_file import StaffFile, read
from schemas.access.facts import Actor, Fact
from schemas.errors import InvalidRecord
from schemas.json_lines import json_line
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.cli.verbs import VERBS
from streams.core.access.state.addresses import normal
from streams.settings import Settings

_MAX_LISTED = 50  # bad rows listed by line; the others are counted


class ImportReport(msgspec.Struct, frozen=True):
    """Result of an import."""

    tenant: str
    source: str
    file: str
    rows: int
    skipped: int
    facts: int
    complete: bool
    ignored_columns: tuple[str, ...]


class _ZoneParam(click.ParamType):
    name = "zone"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> ZoneInfo:
        try:
            return value if isinstance(value, ZoneInfo) else ZoneInfo(str(value))
        except (KeyError, ValueError, OSError):
            self.fail(f"{value!r} is no time zone; write one like Europe/Paris or UTC", param, ctx)


staff = click.Group("staff", help=VERBS["staff"])


@staff.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--tenant", metavar="ID", help="Whose directory it is. May be left out where one tenant is configured.")
@click.option("--source", default="directory", show_default=True, help="Name of the directory; a person may be in several.")
@click.option("--complete", is_flag=True, help="The file lists everybody: who is not in it is withdrawn from this source.")
@click.option("--skip-bad", is_flag=True, help="Import the good rows where some are bad.")
@click.option("--zone", type=_ZoneParam(), default="UTC", show_default=True, help="Time zone of dates without one.")
@json_option
@config_option
@click.pass_context
def import_(
    ctx: click.Context,
    *,
    file: Path,
    tenant: str | None,
    source: str,
    complete: bool,
    skip_bad: bool,
    zone: ZoneInfo,
    as_json: bool,
) -> None:
    """Import FILE: CSV with a header (comma, semicolon or tab), or NDJSON (.ndjson, .jsonl), in UTF-8.

    \b
    id          the directory's own id of the record; without it, the address is
    email(s)    addresses, several separated by blanks, ';' or ','
    name        or first name and last name
    role(s)     job roles, several separated by ';'
    start, end  dates like 2026-03-31, meaning the whole of that day, or times like 2026-03-31T17:00:00+01:00
    status      active, leave or ended, or another usual word
    department, employee number

    Columns under their usual names in other directories are understood, and others ignored. A column that is there asserts its empty
    cells too: an empty end says that no end is known. One bad row and nothing is imported, unless --skip-bad.
    """  # noqa: D301 - click wants the backspace, not a backslash
    if not source.isprintable() or "|" in source or not source:
        raise click.BadParameter("a source's name holds no '|' and no control characters", param_hint="--source")
    settings = kafka_of(ctx)
    tenant_id = tenant_of(settings.tenancy, tenant)
    staff_file = read(file)
    good_rows, bad_rows = rows(staff_file, zone=zone, normalize=normal)
    _check_rows(staff_file, good_rows, bad_rows, complete=complete, skip_bad=skip_bad)
    staff_import = StaffImport(
        tenant=tenant_id,
        source=source,
        now=time.time_ns() // 1_000_000,
        file=staff_file,
        actor=Actor(kind="operator", id="command line"),
    )
    facts = snapshot(staff_import, good_rows) if complete else records(staff_import, good_rows)
    run(_append(settings, facts))
    ignored_columns = tuple(column for column in staff_file.columns if normal_column(column) not in FIELDS)
    _show(
        ImportReport(tenant_id, source, staff_file.name, len(good_rows), len(bad_rows), len(facts), complete, ignored_columns),
        bad_rows,
        as_json=as_json,
    )


def _check_rows(file: StaffFile, good_rows: list[StaffRow], bad_rows: list[BadRow], *, complete: bool, skip_bad: bool) -> None:
    """Raise `InvalidRecord` where an import of these rows would not do what the operator asked for."""
    if bad_rows and complete:
        raise InvalidRecord(
            _report_bad_rows(file, bad_rows)
            + "\nA file that lists everybody cannot be imported in part: fix it, or leave out --complete."
        )
    if bad_rows and not skip_bad:
        raise InvalidRecord(_report_bad_rows(file, bad_rows) + "\nFix them, or import the others with --skip-bad.")
    if not good_rows:
        raise InvalidRecord(f"{file.name} has no row to import. Is it the right file?")


def _report_bad_rows(file: StaffFile, bad_rows: list[BadRow]) -> str:
    listed = "\n".join(f"  line {row.line}: {row.reason}" for row in bad_rows[:_MAX_LISTED])
    rest = f"\n  and {len(bad_rows) - _MAX_LISTED} more" if len(bad_rows) > _MAX_LISTED else ""
    return f"{len(bad_rows)} of {len(file.lines)} rows of {file.name} cannot be used, so nothing was imported:\n{listed}{rest}"


async def _append(settings: Settings, facts: list[Fact]) -> int:
    avro = await registry.codec(settings.registry.url, settings.kafka.topic_prefix)
    with Progress(console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal) as progress:
        task = progress.add_task("facts", total=len(facts))
        return await append(
            settings.kafka, [fact_record(avro, fact) for fact in facts], on_progress=lambda count: progress.advance(task, count)
        )


def _show(report: ImportReport, bad_rows: list[BadRow], *, as_json: bool) -> None:
    if as_json:
        click.echo(json_line(report))
        return
    everybody = ", which is everybody" if report.complete else ""
    click.echo(
        f"{report.rows} staff records of {report.tenant} imported from {report.file} as source '{report.source}'{everybody}"
    )
    if report.ignored_columns:
        click.echo(f"ignored columns: {', '.join(report.ignored_columns)}")
    for row in bad_rows[:_MAX_LISTED]:
        click.echo(f"skipped line {row.line}: {row.reason}")
