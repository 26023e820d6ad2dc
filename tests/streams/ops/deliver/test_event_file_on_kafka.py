import asyncio
import contextlib
import json
import time

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.tenancy import EventFile, Tenancy, Tenant
from streams.ops.deliver.process import DeliverProcess
from tests.support.webhooks.campaign import TOPICS
from tests.support.webhooks.findings import finding_event, write

pytestmark = pytest.mark.asyncio


@contextlib.asynccontextmanager
async def delivering(kafka, file):
    stop = asyncio.Event()
    process = DeliverProcess(kafka, Avro.local(), Tenancy.of((), [Tenant(id="acme", event_files=(file,))]))
    running = asyncio.create_task(process.run(stop))
    try:
        yield process
    finally:
        stop.set()
        await running


async def until_lines(path, count):
    deadline = time.monotonic() + 120
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    return [json.loads(line) for line in path.read_bytes().splitlines()]


async def test_a_file_has_each_committed_event_of_its_tenant_once_over_restarts_and_a_lost_position(kafka, prefix, tmp_path):
    settings, path = KafkaSettings(bootstrap=kafka, topic_prefix=prefix), tmp_path / "findings.jsonl"
    await topics.apply(settings, only=TOPICS)
    first, second, third = (finding_event("a", number) for number in (1, 2, 3))
    await write(settings, [finding_event("b", 1)], abort=True)
    await write(settings, [first, finding_event("a", 1, tenant="other")])
    file = EventFile(path=str(path))
    async with delivering(settings, file):
        await until_lines(path, 1)
        await write(settings, [second])
        await until_lines(path, 2)
    (tmp_path / "findings.jsonl.position").unlink()
    with path.open("ab") as cut_off:
        cut_off.write(third.value[:40])
    await write(settings, [third])
    async with delivering(settings, file) as process:
        lines = await until_lines(path, 3)
        other = DeliverProcess(settings, Avro.local(), Tenancy.of((), [Tenant(id="acme", event_files=(file,))]))
        stop = asyncio.Event()
        running = asyncio.create_task(other.run(stop))
        while not other.readiness()["degraded"]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        assert "another process writes" in other.readiness()["degraded"][0]
        stop.set()
        await running
        assert process.readiness()["ready"]
    assert lines == [json.loads(event.value) for event in (first, second, third)]
