"""Long campaigns with fresh seeds: `scripts/faults --minutes 30`. A failing seed prints the command that repeats it."""

import asyncio
import logging
import secrets
import sys
import tempfile
import time
from pathlib import Path

import click

from connectors.kafka import KafkaSettings
from connectors.local import LocalStack, running
from tests.engine.counting import PARTITIONS
from tests.faults.campaign import BROKERS, WORKERS, Campaign

_DISTURBANCES = 8  # a campaign of one to three minutes: short enough to repeat, long enough for one thing to meet another


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0), default=30.0, help="Begin no new campaign after so long.")
@click.option("--seed", type=int, help="Repeat one campaign.")
@click.option("--kind", type=click.Choice(["workers", "brokers", "both"]), default="both", help="Who is harmed.")
def main(minutes: float, seed: int | None, kind: str) -> None:
    """Break workers and brokers at random moments on a cluster of three, and count every event afterwards."""
    logging.disable(logging.ERROR)  # brokers that are away are the point
    kinds = ["workers", "brokers"] if kind == "both" else [kind]
    end = time.monotonic() + minutes * 60
    done = 0
    with running(brokers=3) as stack:
        while done == 0 or (seed is None and time.monotonic() < end):
            _campaign(stack, kinds[done % len(kinds)], secrets.randbits(32) if seed is None else seed)
            done += 1
    click.echo(f"{done} campaigns, {done * _DISTURBANCES} disturbances, nothing found")


def _campaign(stack: LocalStack, kind: str, seed: int) -> None:
    started = time.monotonic()
    settings = KafkaSettings(
        bootstrap=stack.addresses.kafka,
        topic_prefix=f"f{secrets.token_hex(4)}.",
        partitions=PARTITIONS,
        replication=3,
        min_insync=2,
    )
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(settings, Path(folder), seed, stack)
        try:
            asyncio.run(campaign.run(_DISTURBANCES, WORKERS if kind == "workers" else BROKERS))
        except AssertionError as failure:
            click.echo(f"FOUND: {failure}\nrepeat: scripts/faults --seed {seed} --kind {kind}", err=True)
            sys.exit(1)
    click.echo(f"{kind:8} seed {seed:>10}  {time.monotonic() - started:5.0f} s  {', '.join(campaign.did)}")


if __name__ == "__main__":
    main()
