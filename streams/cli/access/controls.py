"""`access controls`: for which controls of standards the checks give evidence, which of them are on, and what they answer now."""

from collections import Counter

import click
import msgspec

from schemas.access.facts import AccessSettings, type_of
from schemas.access.findings import CheckState
from schemas.access.reports import ReportedControl
from schemas.json_lines import json_line
from streams.cli.decisions.answers import answers_of
from streams.cli.decisions.options import tenant_option
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tables import TextTable, print_table
from streams.cli.tenant import tenant_of
from streams.core.access.facts.staleness import in_force
from streams.core.access.reports.controls import STANDARDS, controls, evidence_on
from streams.ops.codec import configured_codec
from streams.ops.facts import find_understood
from streams.settings import Settings


class ControlLine(msgspec.Struct, frozen=True, kw_only=True):
    """A control, and its coverage: tested, where each of its checks that is on has an answer for somebody and none is unknown; partly; or not tested."""

    tenant: str
    coverage: str
    control: ReportedControl


@click.command("controls")
@click.option("--standard", type=click.Choice(STANDARDS), help="Only of this standard.")
@tenant_option
@json_option
@config_option
@click.pass_context
def show_controls(ctx: click.Context, *, standard: str | None, tenant: str | None, as_json: bool) -> None:
    """Show for which controls of SOC 2, ISO 27001, NIST 800-53 and CIS the checks give evidence, and what they answer now.

    A check covers a part of a control, never all of it.
    """
    settings = kafka_of(ctx)
    tenant_id = tenant_of(settings.tenancy, tenant)
    rows, configured = run(_read(settings, tenant_id))
    lines = [line for line in lines_of(tenant_id, rows, configured) if standard in (None, line.control.standard)]
    if as_json:
        for line in lines:
            click.echo(json_line(line))
        return
    table = TextTable("standard", "control", "about", "checks", "off", "coverage", "results")
    for line in lines:
        control = line.control
        results = ", ".join(f"{name} {count}" for name, count in control.results.items())
        table.add_row(
            control.standard,
            control.control,
            control.about,
            " ".join(control.checks),
            " ".join(control.off),
            line.coverage,
            results,
        )
    print_table(table)


def lines_of(tenant: str, rows: list[CheckState], configured: AccessSettings | None) -> list[ControlLine]:
    """Return every control, by the answers about a tenant, and by the settings in force, which switch checks on."""
    results: dict[str, Counter[str]] = {}
    for row in rows:
        results.setdefault(row.check, Counter())[row.result] += 1
    return [
        ControlLine(tenant=tenant, coverage=_coverage(each, results), control=each)
        for each in controls(results, evidence_on(configured))
    ]


def _coverage(control: ReportedControl, results: dict[str, Counter[str]]) -> str:
    tested = [sum(count for name, count in results.get(check, {}).items() if name != "UNKNOWN") for check in control.checks]
    if not any(tested):
        return "not tested"
    return "tested" if all(tested) and not control.off and "UNKNOWN" not in control.results else "partly"


async def _read(settings: Settings, tenant: str) -> tuple[list[CheckState], AccessSettings | None]:
    avro = await configured_codec(settings)
    current = in_force(await find_understood(settings.kafka, avro, tenant, {type_of("settings.applied")}))
    return await answers_of(settings, avro, tenant), current.settings if current else None
