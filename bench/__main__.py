"""Run one benchmark and print its report. Exit code 1 when a check does not hold; a missed goal is a figure, not a failure."""

import datetime as dt
import sys

import click
from confluent_kafka import KafkaException

from bench.cluster import Cluster, fresh_prefix
from bench.machine import this_machine
from bench.options import Options
from bench.show import console_for, json_line, show
from bench.table import BENCHMARKS
from connectors.local import existing_or_temporary
from schemas.errors import IntercomStreamsError


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", type=click.Choice(list(BENCHMARKS)), required=False)
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON that holds `ratios`.")
@click.option("--quick", is_flag=True, help="The smallest run that goes through everything; its figures mean nothing.")
@click.option("--rounds", type=click.IntRange(1), help="How often each rival is measured.")
@click.option("--only", multiple=True, help="Measure this rival; may be given several times.")
@click.option("--events", type=click.IntRange(1000), help="How many events a benchmark has; for access, how many staff.")
def main(*, name: str | None, as_json: bool, quick: bool, rounds: int | None, only: tuple[str, ...], events: int | None) -> None:
    """Measure NAME against its rivals on a real Kafka: the one KAFKA_BOOTSTRAP names, else one of its own. Without NAME, list what there is."""
    if name is None:
        click.echo("\n".join(f"{each:11} {benchmark.about}" for each, benchmark in BENCHMARKS.items()))
        return
    machine = this_machine()
    options = Options(quick=quick, rounds=rounds, only=only, events=events)
    try:
        with existing_or_temporary() as addresses:
            cluster = Cluster(addresses.kafka, fresh_prefix())
            cluster.wait_for_coordinator()
            try:
                report = BENCHMARKS[name].load()(options, cluster)
            finally:
                cluster.delete(cluster.topics())
    except (IntercomStreamsError, KafkaException) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    show(report, machine, console_for(sys.stdout.isatty()))
    if as_json:
        click.echo(json_line(report, machine, dt.datetime.now(dt.UTC).isoformat(timespec="seconds")))
    sys.exit(0 if report.is_valid else 1)


if __name__ == "__main__":
    main()
