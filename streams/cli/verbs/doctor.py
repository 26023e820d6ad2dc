"""`doctor`: what is wrong with an installation, what it means, and what to do."""

import time
from collections.abc import Callable

import click
from rich.console import Console

from schemas.errors import BadConfiguration
from schemas.json_lines import json_line
from streams.cli.address_param import AddressParam
from streams.cli.number_param import FiniteRange
from streams.cli.options import config_option, json_option, kafka_of, settings_of
from streams.cli.run_async import run
from streams.ops.doctor.examine import TABLE, examine
from streams.ops.doctor.finding import HealthFinding, Patient, State

_MARKS = {State.OK: "[green]ok[/]", State.WARNING: "[yellow]warning[/]", State.PROBLEM: "[red]problem[/]"}


@click.command()
@click.argument("only", nargs=-1, type=click.Choice([row.name for row in TABLE]), metavar="[EXAMINATION]...")
@click.option(
    "--worker", type=AddressParam(), metavar="HOST:PORT", help="Where a worker serves /ready. Default: [worker] listen."
)
@click.option("--ingress", type=AddressParam(), metavar="HOST:PORT", help="Where the ingress listens. Default: [ingress] listen.")
@click.option("--watch", type=FiniteRange(min=0.1), default=2.0, show_default=True, metavar="SECONDS",
              help="How long to watch whether a lag shrinks.")  # fmt: skip
@json_option
@config_option
@click.pass_context
def doctor(
    ctx: click.Context, /, *, only: tuple[str, ...], worker: str | None, ingress: str | None, watch: float, as_json: bool
) -> None:
    """Examine configuration, Kafka, processes, disks and data, or only what is named (topics, lag …). Schemas that a registry lacks are registered; nothing else is changed.

    Exit code 1 if there is a problem, 0 with warnings only.
    """
    try:
        settings = settings_of(ctx)
        text = f"workspaces in the configuration: {len(settings.tenancy.workspaces)}, and every secret is there"
        findings = [HealthFinding(examination="configuration", state=State.OK, text=text)]
    except BadConfiguration as error:
        settings = kafka_of(ctx)
        findings = [HealthFinding(examination="configuration", state=State.PROBLEM, text=str(error))]
    patient = Patient(
        settings=settings,
        now=time.time_ns() // 1_000_000,
        worker=settings.worker.listen if worker is None else worker,
        ingress=settings.ingress.listen if ingress is None else ingress,
        trend_seconds=watch,
    )
    show = _show_json if as_json else _show_line
    for finding in findings:
        show(finding)
    run(_examine(patient, only, findings, show))
    problems = sum(finding.state is State.PROBLEM for finding in findings)
    if problems:
        ctx.exit(1)


async def _examine(
    patient: Patient, only: tuple[str, ...], findings: list[HealthFinding], show: Callable[[HealthFinding], None]
) -> None:
    async for finding in examine(patient, only):
        findings.append(finding)
        show(finding)


def _show_json(finding: HealthFinding) -> None:
    click.echo(json_line(finding))


def _show_line(finding: HealthFinding) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{_MARKS[finding.state]} {finding.examination}:", end=" ")
    console.print(finding.text, markup=False)
    if finding.remedy:
        console.print(f"    {finding.remedy}", markup=False)
