"""`demo`: the whole story on a real Kafka, each step checked, in a minute."""

import asyncio
import secrets
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import click

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.local import Addresses, configured_addresses, existing_or_temporary
from connectors.local.progress import ProgressLines
from schemas.codec import Avro
from streams.cli.run_async import run
from streams.demo.cleanup import remove_topics
from streams.demo.environment import set_up
from streams.demo.output import StoryOutput, story_output
from streams.demo.story import ACTS, TOPICS, StoryContext
from streams.demo.watch import watching

_READING_S = 1.0  # a pause between the acts for the eye; only where somebody watches

_SUMMARY = """
All of it happened as expected: {count} results, each seen by a plain Kafka subscriber,
half of them within {median:.0f} ms of the post or command, the slowest within {slowest:.0f} ms."""
_ACTIVATE = """
  . .venv/bin/activate                                     the command is in this environment"""
_HOW_TO_GO_ON = """
To go on:
{activate}
  intercom-streams stack up                                a Kafka and a Redis that stay
  cp intercom-streams.example.toml intercom-streams.toml   then fill in your app's secret and workspace
  intercom-streams run                                     ingress and worker; point Intercom's webhook here
  intercom-streams tail access.violations                  violations as they open and close
  intercom-streams simulate --scenario disorder            a made-up company, out of order and doubled

README.md shows how to subscribe in ten lines of Python; docs/ has the guarantees and what to do when something is wrong."""


@click.command()
@click.option("--fast", is_flag=True, help="No pauses for reading.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, for programs.")
def demo(*, fast: bool, as_json: bool) -> None:
    """Show the whole story on a real Kafka, on this machine.

    Starts a Kafka of its own and removes it at the end; with KAFKA_BOOTSTRAP set it uses that cluster, under a topic prefix of its
    own. Exit code 0 only if everything shown is what was expected.
    """
    paper = story_output(as_json=as_json)
    pause_s = 0.0 if fast or as_json or not sys.stdout.isatty() else _READING_S
    prefix = f"demo-{secrets.token_hex(4)}." if configured_addresses() else ""
    with (
        existing_or_temporary(progress=ProgressLines(sys.stderr)) as addresses,
        tempfile.TemporaryDirectory(prefix="intercom-streams-") as folder,
    ):
        run(_tell_story(Path(folder), addresses, prefix, paper, pause_s))
    paper.plain(_HOW_TO_GO_ON.format(activate="" if shutil.which("intercom-streams") else _ACTIVATE))


async def _tell_story(folder: Path, addresses: Addresses, prefix: str, paper: StoryOutput, pause_s: float) -> None:
    kafka = KafkaSettings(bootstrap=addresses.kafka, topic_prefix=prefix)
    await topics.check(kafka, only=())  # a cluster that does not answer is better said now than after a minute
    click.echo("Starting ingress and worker ...", err=True)
    try:
        async with set_up(folder, addresses, prefix) as stage, watching(kafka, TOPICS, Avro.local()) as watch:
            told = StoryContext(stage, watch, paper)
            for act in ACTS:
                await act(told)
                await asyncio.sleep(pause_s)
    finally:
        await remove_topics(kafka)
    paper.plain(_SUMMARY.format(count=len(told.latencies), median=statistics.median(told.latencies), slowest=max(told.latencies)))
