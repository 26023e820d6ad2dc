"""`staff import`: a directory's file becomes facts; whole or not at all."""

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
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.core.access.state.addresses import normal
from streams.settings import Settings

_SHOWN = 50  # bad rows listed by line; the rest is counted


class ImportReport(msgspec.Struct, frozen=True):
    """What an import did."""

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


@click.group()
def staff() -> None:
    """Import the staff directory."""


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
    whose = tenant_of(settings.tenancy, tenant)
    found = read(file)
    good, bad = rows(found, zone=zone, normalize=normal)
    _refuse(found, good, bad, complete=complete, skip_bad=skip_bad)
    work = StaffImport(
        tenant=whose, source=source, now=time.time_ns() // 1_000_000, file=found, actor=Actor(kind="operator", id="command line")
    )
    facts = snapshot(work, good) if complete else records(work, good)
    run(_append(settings, facts))
    ignored = tuple(column for column in found.columns if normal_column(column) not in FIELDS)
    _show(ImportReport(whose, source, found.name, len(good), len(bad), len(facts), complete, ignored), bad, as_json=as_json)


def _refuse(file: StaffFile, good: list[StaffRow], bad: list[BadRow], *, complete: bool, skip_bad: bool) -> None:
    """Raise where importing these rows would not do what the person asked for."""
    if bad and complete:
        raise InvalidRecord(
            _report_bad_rows(file, bad)
            + "\nA file that lists everybody cannot be imported in part: mend it, or leave out --complete."
        )
    if bad and not skip_bad:
        raise InvalidRecord(_report_bad_rows(file, bad) + "\nMend them, or import the others with --skip-bad.")
    if not good:
        raise InvalidRecord(f"{file.name} has no row to import. Is it the right file?")


def _report_bad_rows(file: StaffFile, bad: list[BadRow]) -> str:
    shown = "\n".join(f"  line {each.line}: {each.reason}" for each in bad[:_SHOWN])
    rest = f"\n  and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    return f"{len(bad)} of {len(file.lines)} rows of {file.name} cannot be used, so nothing was imported:\n{shown}{rest}"


async def _append(settings: Settings, facts: list[Fact]) -> int:
    avro = await registry.codec(settings.registry.url, settings.kafka.topic_prefix)
    with Progress(console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal) as progress:
        task = progress.add_task("facts", total=len(facts))
        return await append(
            settings.kafka, [fact_record(avro, fact) for fact in facts], on_progress=lambda count: progress.advance(task, count)
        )


def _show(done: ImportReport, bad: list[BadRow], *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(done))
        return
    whole = ", which is everybody" if done.complete else ""
    click.echo(f"{done.rows} staff records of {done.tenant} imported from {done.file} as source '{done.source}'{whole}")
    if done.ignored_columns:
        click.echo(f"ignored columns: {', '.join(done.ignored_columns)}")
    for each in bad[:_SHOWN]:
        click.echo(f"skipped line {each.line}: {each.reason}")
