"""`demo`: show the product's story on a real Kafka in a minute, with every step checked."""

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
from streams.cli.verbs import VERBS
from streams.demo.cleanup import remove_topics
from streams.demo.context import StoryContext
from streams.demo.environment import set_up
from streams.demo.output import StoryOutput, story_output
from streams.demo.story import ACTS, TOPICS
from streams.demo.watch import watch_topics

_READING_S = 1.0  # pause between two acts, for reading; only on a terminal

_SUMMARY = """
All of it happened as expected: {count} results, each seen by a plain Kafka subscriber,
half of them within {median:.0f} ms of the post, command or date, the slowest within {slowest:.0f} ms."""
_ACTIVATE = """
  . .venv/bin/activate                                     the command is in this environment"""
_NEXT_STEPS = """
To go on:
{activate}
  intercom-streams stack up                                a Kafka and a Redis that stay
  intercom-streams init                                    a configuration; then fill in secret and workspace
  intercom-streams run                                     ingress and worker; point Intercom's webhook here
  intercom-streams tail access.violations                  violations as they open and close
  intercom-streams simulate --scenario disorder            a made-up company, out of order and doubled

README.md shows how to subscribe in ten lines of Python; docs/ has the guarantees and what to do when something is wrong."""


_HELP = f"""{VERBS["demo"]}

Starts a Kafka of its own and removes it at the end; with KAFKA_BOOTSTRAP set it uses that cluster, under a topic prefix of its
own. Exit code 0 only if everything shown is what was expected.
"""


@click.command(help=_HELP)
@click.option("--fast", is_flag=True, help="No pauses for reading.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, for programs.")
def demo(*, fast: bool, as_json: bool) -> None:
    output = story_output(as_json=as_json)
    pause_s = 0.0 if fast or as_json or not sys.stdout.isatty() else _READING_S
    prefix = f"demo-{secrets.token_hex(4)}." if configured_addresses() else ""
    with (
        existing_or_temporary(progress=ProgressLines(sys.stderr)) as addresses,
        tempfile.TemporaryDirectory(prefix="intercom-streams-") as folder,
    ):
        run(_play_story(Path(folder), addresses, prefix, output, pause_s))
    output.show_text(_NEXT_STEPS.format(activate="" if shutil.which("intercom-streams") else _ACTIVATE))


async def _play_story(folder: Path, addresses: Addresses, prefix: str, output: StoryOutput, pause_s: float) -> None:
    kafka = KafkaSettings(bootstrap=addresses.kafka, topic_prefix=prefix)
    await topics.check(kafka, only=())  # report an unreachable cluster now, not after a minute
    click.echo("Starting ingress and worker ...", err=True)
    try:
        async with set_up(folder, addresses, prefix) as environment, watch_topics(kafka, TOPICS, Avro.local()) as watch:
            context = StoryContext(environment, watch, output)
            for act in ACTS:
                await act(context)
                await asyncio.sleep(pause_s)
    finally:
        await remove_topics(kafka)
    output.show_text(
        _SUMMARY.format(count=len(context.latencies), median=statistics.median(context.latencies), slowest=max(context.latencies))
    )
