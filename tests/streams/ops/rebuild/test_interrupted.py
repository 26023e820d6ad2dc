"""A rebuild that ends at a bad moment, on a real Kafka: what stands still, what continues, and who completes it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.errors import ProducerFenced

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import present
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.errors import BadConfiguration
from schemas.generations import Hold, RebuildEntry
from streams.agents import source_records
from streams.engine.partition.processor import PartitionStatus
from streams.engine.recovery.fencing import fenced_producer
from streams.ops.generations.state import read_generations, writing
from streams.ops.rebuild import start, swap
from streams.ops.rebuild.hold import HeldAgents
from streams.settings import Settings
from tests.patience import DEADLINE_S
from tests.streams.ops.rebuild.installed import (
    AVRO,
    QUIET,
    WorkingWorker,
    corrections,
    installed,
    job_of,
    leaves_out_some,
    rebuilt,
    worker,
)
from tests.support.engines import QUICK, append_posts, latest, until, until_published
from tests.support.histories import contact_events
from tests.support.oracle import pipeline_of
from tests.support.tenancy import TENANCY

pytestmark = pytest.mark.asyncio

APP = "abc12345"


class Killed(Exception):
    """Stands for the end of the process at that moment."""


@asynccontextmanager
async def with_wrong_tables(
    settings: Settings, bodies: Sequence[bytes], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[WorkingWorker, set[str]]]:
    """Yield a worker whose tables a fault has made wrong before it was repaired, and the wrong people."""
    async with worker(settings) as working, transactions(settings.kafka, "ingress") as ingress:
        with monkeypatch.context() as broken:
            broken.setattr(source_records, "join_stored", leaves_out_some)
            wrong = pipeline_of(bodies, TENANCY)
            await until(lambda: working.caught_up, "the worker is ready")
            await append_posts(ingress, "intercom.contacts", bodies)
            await until_published(settings.kafka, "people", wrong.latest("people"))
        right = pipeline_of(bodies, TENANCY).latest("people")
        yield working, {key for key, value in right.items() if wrong.latest("people").get(key) != value}


async def test_a_swap_killed_between_two_parts_keeps_its_agents_still_until_it_is_completed(
    kafka: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured = installed(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=4), tmp_path)
    settings, bodies = configured.kafka, contact_events(300, 60, 23, APP)
    job = job_of(settings)
    async with with_wrong_tables(configured, bodies[:250], monkeypatch) as (working, wrong):
        assert len(wrong) > 3
        with monkeypatch.context() as killing:
            killing.setattr(swap, "_CHUNK", 1)
            write, written = HeldAgents.write, 0

            async def until_killed(held: HeldAgents, entry: RebuildEntry, records: Sequence[TopicRecord]) -> None:
                nonlocal written
                if written == 2:
                    raise Killed
                written += 1
                await write(held, entry, records)

            killing.setattr(HeldAgents, "write", until_killed)
            with pytest.raises(Killed):
                await rebuilt(job, "contacts", swap=True)
        state = await read_generations(settings)
        (entry,) = state.rebuilds.values()
        assert (entry.result, state.hold and state.hold.until) == (None, None)
        assert 0 < len(await corrections(settings, "people", entry.id)) < len(wrong)
        with pytest.raises(BadConfiguration, match="has begun to swap"):
            await start.discard(job, start.unit_named("contacts", job.agents))
        async with transactions(settings, "ingress") as ingress:  # posts are accepted, and wait
            await append_posts(ingress, "intercom.contacts", bodies[250:])
        contacts = [each for each in working.engine.all_processors() if each.agent.name == "contacts"]
        still = "the contacts agent stands still for a rebuild; it continues by itself"
        await until(lambda: {each.reason for each in contacts} == {still}, "all its partitions stand still, and say why")
        admins = [each for each in working.engine.all_processors() if each.agent.name in {"admins", "access"}]
        assert {each.status for each in admins} == {PartitionStatus.LIVE}
        outcome = await rebuilt(job, "contacts", swap=True)
        assert outcome.entry.result == "swapped"
        corrected = await corrections(settings, "people", entry.id)
        assert Counter(record.key.decode() for record in corrected if record.key) == Counter(wrong)
        await until(lambda: len(working.engines) > 1 and working.caught_up, "the worker has the rebuilt tables")
        expected = pipeline_of(bodies, TENANCY).values("people")
        async with asyncio.timeout(DEADLINE_S):
            while {key: AVRO.decode(value)[1] for key, value in (await latest(settings, "people")).items()} != expected:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        dropped = await start.discard(job, start.unit_named("contacts", job.agents))
        assert dropped.result == "complete"
        topics = await present(settings)
        assert settings.topic("intercom-streams.g1.contacts.changelog") not in topics
        assert settings.topic("intercom-streams.g2.contacts.changelog") in topics


async def test_agents_continue_by_themselves_where_the_process_that_held_them_is_gone(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    configured = installed(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=4), tmp_path)
    settings, bodies = configured.kafka, contact_events(40, 20, 3, APP)
    rows = pipeline_of(bodies, TENANCY).tables["contacts"].rows()
    async with worker(configured) as working, transactions(settings, "ingress") as ingress:
        await until(lambda: working.caught_up, "the worker is ready")
        contacts = [each for each in working.engine.all_processors() if each.agent.name == "contacts"]
        async with writing(settings) as gone:
            await gone.write(Hold("b-gone", ("contacts",), int((time.time() + 3) * 1000)))
            names = gone.state.names(settings.topic_prefix)
            for partition in range(4):
                await (await fenced_producer(settings, names.transactional_id("contacts", partition), QUICK)).stop()
            await append_posts(ingress, "intercom.contacts", bodies)
            await until(lambda: any(each.status is PartitionStatus.FAILED for each in contacts), "it stands still")
            await until(lambda: working.caught_up and working.rows("contacts").keys() >= rows.keys(), "it continues")
            with pytest.raises(ProducerFenced):  # should the process come back after all
                await gone.write(Hold("b-gone", ("contacts",), None))
    assert (await read_generations(settings)).hold is None


async def test_an_unfinished_rebuild_can_be_dropped_and_leaves_nothing(kafka: str, prefix: str, tmp_path: Path) -> None:
    configured = installed(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=4), tmp_path)
    settings, job = configured.kafka, job_of(configured.kafka)
    unit = start.unit_named("contacts", job.agents)
    async with worker(configured) as working:
        await until(lambda: working.caught_up, "the worker is ready")
        entry = await start.begin_or_continue(job, unit, partitions=0, actor="ops", reason="a test")
        assert await start.begin_or_continue(job, unit, partitions=0, actor="ops", reason=None) == entry
        for agents, partitions, text in (("all", 0, "is unfinished"), ("contacts", 16, "has other partitions")):
            with pytest.raises(BadConfiguration, match=text):
                await start.begin_or_continue(
                    job, start.unit_named(agents, job.agents), partitions=partitions, actor=None, reason=None
                )
        stopped = await start.run(job, entry, unit, QUIET._replace(stopped=lambda: True), swap=True)
        assert (stopped.entry.result, stopped.tables) == (None, ())
        assert (await start.discard(job, unit)).result == "discarded"
        assert not [name for name in await present(settings) if "intercom-streams.g2." in name and name.startswith(prefix)]
        with pytest.raises(BadConfiguration, match="nothing to discard"):
            await start.discard(job, unit)
        assert len(working.engines) == 1
