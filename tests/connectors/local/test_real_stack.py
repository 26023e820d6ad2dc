"""The stack's guarantees about processes, ports and data, on real ones."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis.asyncio import Redis

from connectors.local import LocalStack, temporary_stack
from connectors.local.paths import stacks_home
from connectors.local.servers.broker import SETTINGS
from tests.patience import DEADLINE_S


@pytest.fixture
def private_stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERCOM_STREAMS_STATE", str(tmp_path))
    return stacks_home()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


async def create(bootstrap: str, topic: str, copies: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(topic, 1, copies)])
    finally:
        await admin.close()
    assert [code for _, code, _ in answer.topic_errors] == [0]


async def produce(bootstrap: str, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def consume(bootstrap: str, topic: str, count: int) -> list[bytes]:
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        return [(await consumer.getone()).value for _ in range(count)]


def states(stack: LocalStack) -> dict[str, str]:
    return {service.name: service.state for service in stack.status()}


@pytest.mark.asyncio
async def test_records_survive_a_stop_on_the_same_port_and_a_second_start_finds_the_running_stack(private_stacks: Path) -> None:
    stack = LocalStack.named("kept")
    try:
        first = stack.up()
        pids = [service.pid for service in stack.status()]
        assert stack.up() == first
        assert [service.pid for service in stack.status()] == pids
        await create(first.kafka, "kept")
        await produce(first.kafka, "kept", [b"one", b"two"])
        async with Redis.from_url(first.redis) as redis:
            await redis.set("kept", "yes")
        assert stack.down()
        assert set(states(stack).values()) == {"stopped"}
        again = stack.up()
        assert again == first
        assert await consume(again.kafka, "kept", 2) == [b"one", b"two"]
        async with Redis.from_url(again.redis) as redis:
            assert await redis.get("kept") == b"yes"
    finally:
        stack.down(remove=True)
    assert stack.status() == []
    assert not stack.home.exists()


@pytest.mark.asyncio
async def test_three_brokers_keep_what_was_acknowledged_when_one_is_killed(private_stacks: Path) -> None:
    with temporary_stack(brokers=3) as stack:
        bootstrap = stack.addresses.kafka
        assert len(bootstrap.split(",")) == 3
        await create(bootstrap, "copied", copies=3)
        await produce(bootstrap, "copied", [b"before"])
        stack.kill_broker(1)
        assert states(stack) == {"redis": "running", "kafka-1": "stopped", "kafka-2": "running", "kafka-3": "running"}
        await produce(bootstrap, "copied", [b"meanwhile"])
        stack.start_broker(1)
        stack.pause_broker(2)
        wait_until(lambda: states(stack)["kafka-2"] == "paused")
        stack.resume_broker(2)
        wait_until(lambda: states(stack)["kafka-2"] == "running")
        assert await consume(bootstrap, "copied", 2) == [b"before", b"meanwhile"]


@pytest.mark.asyncio
async def test_the_broker_runs_with_the_settings_of_the_table(private_stacks: Path) -> None:
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

    with temporary_stack() as stack:
        admin = AIOKafkaAdminClient(bootstrap_servers=stack.addresses.kafka)
        await admin.start()
        try:
            (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, "1")])
        finally:
            await admin.close()
    actual = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    assert {name: actual.get(name) for name in SETTINGS} == dict(SETTINGS)


def test_the_registry_speaks_the_confluent_api(registry_url: str, prefix: str) -> None:
    subject = f"{registry_url}/subjects/{prefix}value"
    schema = '{"type": "record", "name": "R", "fields": [{"name": "f", "type": "string"}]}'
    assert httpx.post(f"{subject}/versions", json={"schema": schema}).status_code == 200
    assert httpx.get(f"{subject}/versions").json() == [1]


OWNER = """
import signal, time
from connectors.local import temporary_stack
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests are a shell's background job
with temporary_stack() as stack:
    print("\\n".join(str(service.pid) for service in stack.status()), flush=True)
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_however_the_borrower_ends_nothing_of_its_stack_is_left(private_stacks: Path, end: signal.Signals) -> None:
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as owner:
        assert owner.stdout is not None
        pids = [int(line) for line in iter(owner.stdout.readline, "up\n")]
        assert len(pids) == 2
        owner.send_signal(end)
        assert owner.wait(DEADLINE_S) != 0
    wait_until(lambda: not any(exists(pid) for pid in pids))
    wait_until(lambda: not list(private_stacks.iterdir()))


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
