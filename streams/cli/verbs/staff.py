"""`staff import|decide`: import a staff directory's file as facts, all of them or none."""

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from connectors.kafka.fact_log import append, fact_record
from connectors.staff.csv.columns import field_of
from connectors.staff.csv.facts import StaffImport, records, snapshot
from connectors.staff.csv.file_form import declared_form
from connectors.staff.csv.parse_row import BadRow, StaffRow, rows
from connectors.staff.csv.read_file import StaffFile, read
from schemas.access.facts import Actor, Fact
from schemas.errors import InvalidRecord
from schemas.json_lines import json_line
from schemas.tenancy import StaffSource
from streams.cli.decisions.sources import decide
from streams.cli.group import CommandGroup
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.cli.verbs import VERBS
from streams.core.normal_forms.addresses import normal
from streams.ops.codec import configured_codec
from streams.settings import Settings

_MAX_LISTED = 50  # bad rows listed with their reasons; of the others the lines are named


class SkippedRow(msgspec.Struct, frozen=True):
    """A line that was left out, and why."""

    line: int
    reason: str


class ImportReport(msgspec.Struct, frozen=True):
    """Result of an import."""

    tenant: str
    source: str
    file: str
    rows: int
    skipped: int
    skipped_rows: tuple[SkippedRow, ...]
    facts: int
    complete: bool
    confirmed: bool
    ignored_columns: tuple[str, ...]


staff = CommandGroup("staff", help=VERBS["staff"], commands=[decide])


@staff.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--tenant", metavar="ID", help="Whose directory it is. May be left out where one tenant is configured.")
@click.option("--source", default="directory", show_default=True, help="Name of the directory; a person may be in several.")
@click.option("--complete", is_flag=True, help="The file lists everybody: who is not in it is withdrawn from this source.")
@click.option("--confirm", is_flag=True, help="With --complete: import it though many are missing, who did leave.")
@click.option("--skip-bad", is_flag=True, help="Import the good rows where some are bad.")
@click.option("--as-of", metavar="TIME", help="When the directory was as in FILE, like 2026-03-31T18:00. Default: now.")
@click.option("--zone", metavar="ZONE", help="Time zone of dates and times without one, like Europe/Paris.  [default: UTC]")
@click.option("--dates", metavar="dmy|mdy|ymd", help="Order of day, month and year in dates. Default: as the file's dates show.")
@click.option("--ends", metavar="last_day|first_day_gone", help="What an end date is.  [default: last_day]")
@click.option(
    "--columns", metavar="FIELD=COLUMN", multiple=True, help="The column that fills a field, like end=Austritt. Repeatable."
)
@click.option("--encoding", help="Encoding of a file that is not UTF-8, like cp1252.")
@json_option
@config_option
@click.pass_context
def import_(
    ctx: click.Context,
    /,
    *,
    file: Path,
    tenant: str | None,
    source: str,
    complete: bool,
    confirm: bool,
    skip_bad: bool,
    as_of: str | None,
    as_json: bool,
    **form: Any,
) -> None:
    """Import FILE: CSV with a header (comma, semicolon or tab), or NDJSON (.ndjson, .jsonl).

    \b
    id          the directory's own id of the record; without it, the address is
    email(s)    addresses, several separated by blanks, ';' or ','
    name        or first name and last name
    role(s)     job roles, several separated by ';'
    start, end  dates like 2026-03-31, meaning the whole of that day, or times like 2026-03-31T17:00:00+01:00;
                31.12.2025 and 12/31/2025 too, where one order of day and month fits all dates of the file
    status      active, leave or ended, or another usual word
    zone        the time zone the person works in, like Europe/Paris; calendar: the id of a configured one
    department, employee number

    Columns under their usual names in other directories are understood, and others ignored. A column that is there asserts its empty
    cells too: an empty end says that no end is known. One bad row and nothing is imported, unless --skip-bad. The form of a source's
    files may stand in the configuration, [[tenants.staff_sources]]; the options override it.
    """  # noqa: D301 - click wants the backspace, not a backslash
    if not source.isprintable() or "|" in source or not source:
        raise click.BadParameter("a source's name holds no '|' and no control characters", param_hint="--source")
    if confirm and not complete:
        raise click.BadParameter("only a file that lists everybody needs it; add --complete", param_hint="--confirm")
    settings = kafka_of(ctx)
    tenant_id = tenant_of(settings.tenancy, tenant)
    file_form = declared_form(_with_options(_configured(settings, tenant_id, source), form))
    now = time.time_ns() // 1_000_000
    staff_file = read(file, file_form.encoding)
    good_rows, bad_rows = rows(staff_file, file_form, normalize=normal)
    _check_rows(staff_file, good_rows, bad_rows, complete=complete, skip_bad=skip_bad)
    staff_import = StaffImport(
        tenant=tenant_id,
        source=source,
        as_of=now if as_of is None else _instant(as_of, file_form.dates.zone, now),
        file=staff_file,
        actor=Actor(kind="operator", id="command line"),
    )
    facts = snapshot(staff_import, good_rows, confirmed=confirm) if complete else records(staff_import, good_rows)
    run(_append(settings, facts))
    ignored_columns = tuple(column for column in staff_file.columns if field_of(column, file_form.columns) is None)
    _show(
        ImportReport(
            tenant=tenant_id,
            source=source,
            file=staff_file.name,
            rows=len(good_rows),
            skipped=len(bad_rows),
            skipped_rows=tuple(SkippedRow(row.line, row.reason) for row in bad_rows),
            facts=len(facts),
            complete=complete,
            confirmed=confirm,
            ignored_columns=ignored_columns,
        ),
        bad_rows,
        as_json=as_json,
    )


def _configured(settings: Settings, tenant: str, name: str) -> StaffSource:
    sources = settings.tenancy.tenants[tenant].staff_sources
    return next((source for source in sources if source.name == name), StaffSource(name=name))


def _with_options(source: StaffSource, options: Mapping[str, Any]) -> StaffSource:
    return msgspec.structs.replace(source, **{name: value for name, value in options.items() if value})


def _instant(text: str, zone: ZoneInfo, now: int) -> int:
    """Parse an as-of time. Raises InvalidRecord for a day alone, which leaves open which of its states the file has, and for the future."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or len(text) <= len("2026-03-31"):
        raise InvalidRecord(f"--as-of {text!r} is no time like 2026-03-31T18:00 or 2026-03-31T18:00:00+01:00")
    instant = int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)
    if not 0 <= instant <= now:
        raise InvalidRecord(f"--as-of {text!r} is in the future, or before 1970. Is the zone right ({zone.key})?")
    return instant


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
    rest = f"\n  and lines {_ranges([row.line for row in bad_rows[_MAX_LISTED:]])}" if len(bad_rows) > _MAX_LISTED else ""
    return f"{len(bad_rows)} of {len(file.lines)} rows of {file.name} cannot be used, so nothing was imported:\n{listed}{rest}"


def _ranges(lines: list[int]) -> str:
    """Return line numbers in order, runs of them as ranges: 4, 7-9."""
    runs: list[tuple[int, int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], line
        else:
            runs.append((line, line))
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


async def _append(settings: Settings, facts: list[Fact]) -> int:
    avro = await configured_codec(settings)
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
    if report.complete and not report.confirmed:
        click.echo("a worker refuses it where it lacks many who were there: `intercom-streams access list --check S3`")
    if report.ignored_columns:
        click.echo(f"ignored columns: {', '.join(report.ignored_columns)}")
    for row in bad_rows[:_MAX_LISTED]:
        click.echo(f"skipped line {row.line}: {row.reason}")
    if len(bad_rows) > _MAX_LISTED:
        click.echo(f"skipped lines {_ranges([row.line for row in bad_rows[_MAX_LISTED:]])}; --json gives their reasons")
