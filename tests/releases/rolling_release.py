"""Two releases side by side under traffic: `python -m tests.releases.rolling_release [COMMIT]`, each from an environment of its own.

Workers of the commit are replaced one by one by those of this checkout, put back one by one, and replaced again, while contacts change and
teammates come. Nothing may be lost, and no event published twice; in the end people have to be what an installation that only ever
ran this checkout makes of the same posts. docs/operations.md, Upgrades, is this in words.
"""

import asyncio
import logging
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from bench.earlier import earlier_product
from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from connectors.local import temporary_stack
from schemas.codec import Avro
from schemas.message import header
from streams.agents.topology import agents_of
from streams.engine.naming import Naming
from streams.engine.runner import running
from tests.faults.fleet import Fleet
from tests.streams.cli.verbs.test_trace import TENANCY, records
from tests.support.config import config_text, write_config
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK, caught_up, latest, until
from tests.support.intercom_bodies import AT, contact, posted

BEFORE = (
    "85ec0d1"  # the last commit before workspaces could be paused; schemas changed in place before it, since nothing was released
)
_CONTACTS = 40
_POSTS = 60  # between two replacements
_SETTLED_S = 120
_AGENTS = agents_of(TENANCY, Avro.local())
_NEW = (sys.executable, "-m", "streams.cli")


class Traffic:
    """Posts without a pause until they are stopped; what was posted, in order."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self.posted: list[list[TopicRecord]] = []
        self._stopped = False

    async def run(self) -> None:
        async with transactions(self._kafka, "rolling-release") as producer:
            while not self._stopped:
                self.posted.append(records(_post(len(self.posted))))
                await producer.append(self.posted[-1])

    def stop(self) -> None:
        self._stopped = True


def _post(number: int) -> bytes:
    name = f"Ada {number}"
    who = contact(
        f"c{number % _CONTACTS}", updated=(AT + number) * 1000, email=f"a{number % _CONTACTS // 2}@x.example", name=name
    )
    return posted("contact.user.updated", who, at=AT + number, number=number)


async def rolled(kafka: KafkaSettings, folder: Path, old: Sequence[str]) -> str:
    """Run the whole story; return what was seen. Raises AssertionError where something was lost, doubled or is another."""
    config = write_config(folder, config_text(kafka={"bootstrap": kafka.bootstrap, "topic_prefix": kafka.topic_prefix}))
    await topics.apply(kafka)
    await topics.apply(kafka, Naming(prefix=kafka.topic_prefix).changelogs(_AGENTS), only=[])
    for name in ("old", "new"):
        (folder / name).mkdir()
    fleets = [Fleet(list(program[1:]), folder / name, program=program[0]) for name, program in (("old", old), ("new", _NEW))]
    releases: list[Fleet] = []
    traffic = Traffic(kafka)
    posting = asyncio.create_task(traffic.run())
    try:
        try:
            for _ in range(2):
                fleets[0].start("worker", "--config", str(config))
                releases.append(fleets[0])
            for step, (which, release) in enumerate([(0, 1), (0, 1), (0, 0), (0, 0), (0, 1), (0, 1)]):
                await _settle(kafka, traffic, fleets)
                releases.pop(which).stop(0)
                fleets[release].start("worker", "--config", str(config))
                releases.append(fleets[release])
                click.echo(f"step {step + 1}: {', '.join('new' if each is fleets[1] else 'old' for each in releases)}", err=True)
            await _settle(kafka, traffic, fleets)
        finally:
            traffic.stop()
            await posting
        await _settle(kafka, traffic, fleets, more=0)
    finally:
        for fleet in fleets:
            fleet.close()
    ids = [header(record.headers, "ce_id") for record in await read_all(kafka, "people.changes")]
    assert len(ids) == len(set(ids)), "a change was published twice"
    assert await read_all(kafka, "dead.letters") == []
    assert await latest(kafka, "people") == await _people_of(kafka, traffic.posted), (
        "people are not what this checkout makes of the same posts"
    )
    return f"{len(traffic.posted)} posts, {len(ids)} changes, 6 replacements: nothing lost, nothing twice, the same people"


async def _settle(kafka: KafkaSettings, traffic: Traffic, fleets: Sequence[Fleet], more: int = _POSTS) -> None:
    """Wait until so many more posts are made and each contact's person knows the last of its posts by then."""
    target = len(traffic.posted) + more
    async with asyncio.timeout(_SETTLED_S):
        while len(traffic.posted) < target or not await _published(kafka, target):
            exited = [code for fleet in fleets for code in fleet.exit_codes()]
            assert not exited, f"a worker ended with {exited}: {fleets[0].log_tails()} {fleets[1].log_tails()}"
            await asyncio.sleep(0.2)


async def _published(kafka: KafkaSettings, count: int) -> bool:
    avro = Avro.local()
    names: set[int] = set()
    for record in await read_all(kafka, "people.changes"):
        for change in avro.decode(record.value)[1]["changes"]:
            text = change["after"] or ""
            if text.startswith('"Ada '):
                names.add(int(text.strip('"').removeprefix("Ada ")))
    return bool(names) and max(names) >= count - 1


async def _people_of(kafka: KafkaSettings, posts: Sequence[Sequence[TopicRecord]]) -> dict[str, bytes]:
    """Return the people that this checkout alone makes of the posts."""
    alone = KafkaSettings(bootstrap=kafka.bootstrap, topic_prefix=f"{kafka.topic_prefix}alone.", partitions=kafka.partitions)
    await topics.apply(alone, Naming(prefix=alone.topic_prefix).changelogs(_AGENTS))
    async with transactions(alone, "rolling-release") as producer:
        await producer.append([record for post in posts for record in post])
    async with running(_AGENTS, kafka=alone, limits=QUICK) as work:
        await until(lambda: work.engine.ready.is_set() and caught_up(work), "everything is read")
        await asyncio.sleep(1)
        await until(lambda: caught_up(work), "everything is read")
    return await latest(alone, "people")


@click.command()
@click.argument("commit", default=BEFORE)
def main(commit: str) -> None:
    """Replace workers of COMMIT by those of this checkout and back, under traffic."""
    logging.disable(logging.WARNING)  # clients log each retry while topics are new
    earlier = earlier_product(commit)
    if earlier is None:
        raise click.ClickException(f"commit {commit} and its environment cannot be had here")
    with temporary_stack() as stack, tempfile.TemporaryDirectory() as folder:
        kafka = KafkaSettings(bootstrap=stack.addresses.kafka, topic_prefix=f"r{secrets.token_hex(3)}.", partitions=4)
        click.echo(asyncio.run(rolled(kafka, Path(folder), earlier.program)))


if __name__ == "__main__":
    main()
