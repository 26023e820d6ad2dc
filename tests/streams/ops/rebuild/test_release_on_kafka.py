"""A rebuild of the release before while workers of a new one take over, on a real Kafka: what it shows, and who may continue it."""

import asyncio
import contextlib
from collections import Counter
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import transactions
from schemas.errors import BadConfiguration
from streams.agents import source_records
from streams.ops.rebuild import start
from streams.ops.rebuild.run import RebuildWatcher
from streams.settings import load
from tests.faults.fleet import Fleet
from tests.patience import DEADLINE_S
from tests.streams.ops.rebuild.installed import AVRO, corrections, job_of, leaves_out_some, rebuilt, worker
from tests.support.config import config_text, write_config
from tests.support.engines import append_posts, latest, until, until_published
from tests.support.histories import contact_events
from tests.support.oracle import pipeline_of
from tests.support.tenancy import TENANCY

pytestmark = pytest.mark.asyncio

APP, WORKER = "abc12345", ["-m", "streams.cli", "worker", "--config"]


async def test_a_worker_of_a_new_release_takes_over_during_a_rebuild_of_the_one_before(
    kafka: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old release has a faulty merge, and runs in this process; the new one is the checkout, as processes of its own."""
    table = {"bootstrap": kafka, "topic_prefix": prefix, "partitions": 4}
    config = write_config(tmp_path, config_text(kafka=table))
    configured = load(str(config))
    settings, bodies = configured.kafka, contact_events(400, 60, 41, APP)[:320]
    job = job_of(settings)
    unit = start.unit_named("contacts", job.agents)
    with contextlib.closing(Fleet([*WORKER, str(config)], tmp_path, {"KAFKA_BOOTSTRAP": ""})) as new:
        with monkeypatch.context() as old:
            old.setattr(source_records, "join_stored", leaves_out_some)
            old.setattr(start, "RELEASE", "the release before")
            building = asyncio.Event()
            watcher = RebuildWatcher(lambda _: building.set(), lambda _: None, lambda: not new.running)
            async with worker(configured) as working, transactions(settings, "ingress") as ingress:
                await until(lambda: working.caught_up, "the worker of the old release is ready")
                await append_posts(ingress, "intercom.contacts", bodies[:300])
                wrong = pipeline_of(bodies[:300], TENANCY).latest("people")
                await until_published(settings, "people", wrong)
                entry = await start.begin_or_continue(job, unit, partitions=0, actor="ops", reason="a test")
                new.start()
                rebuilding = asyncio.create_task(start.run(job, entry, unit, watcher, swap=False))
                await asyncio.wait_for(building.wait(), DEADLINE_S)
            async with transactions(settings, "ingress") as ingress:
                await append_posts(ingress, "intercom.contacts", bodies[300:])
            outcome = await rebuilding
            assert (outcome.entry.result, await corrections(settings, "people", entry.id)) == (None, [])
        with pytest.raises(BadConfiguration, match="was begun by release the release before"):
            await rebuilt(job, "contacts", swap=True)
        assert (await start.discard(job, unit)).result == "discarded"
        again = await rebuilt(job, "contacts", swap=True)
        assert again.entry.result == "swapped"
        expected = pipeline_of(bodies, TENANCY).values("people")
        await _until_people(settings, expected, new)
        right = pipeline_of(bodies[:300], TENANCY).latest("people")
        corrected = Counter(record.key.decode() for record in await corrections(settings, "people", again.entry.id) if record.key)
        assert set(corrected.values()) == {1}
        assert corrected.keys() <= {key for key, value in right.items() if wrong.get(key) != value}
        assert new.exit_codes() == []


async def _until_people(settings: KafkaSettings, expected: dict[str, object], workers: Fleet) -> None:
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while (people := {key: AVRO.decode(value)[1] for key, value in (await latest(settings, "people")).items()}) != expected:
        wrong = [key for key in people.keys() | expected.keys() if people.get(key) != expected.get(key)]
        assert asyncio.get_running_loop().time() < deadline, f"{len(wrong)} people are not right\n{workers.log_tails()}"
        await asyncio.sleep(0.2)
