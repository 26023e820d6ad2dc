"""An ingress as a user runs it: a configuration file and a process, posted to over HTTP, killed and started again."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import httpx
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import apply
from schemas.intercom.routes import TOPICS
from schemas.message import header
from tests.patience import DEADLINE_S
from tests.support.config import config_text, write_config
from tests.support.posts import NEXT_SECRET, SALES_SECRET, SECRET, signed

NOBODY = "127.0.0.1:1"  # a bootstrap server that does not answer


class Ingress:
    """One running process, or several behind one address."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log
        self.root = url.removesuffix("/webhooks/intercom")

    def kill(self) -> None:
        """End it as a power failure would end a process."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to stop and return its exit code."""
        self.process.terminate()
        return self.process.wait(30)

    def ready(self) -> dict[str, object]:
        """Return what /ready says."""
        found: dict[str, object] = httpx.get(f"{self.root}/ready", timeout=DEADLINE_S).json()
        return found

    def degraded(self) -> list[str]:
        """Return the sentences of /ready about what is wrong."""
        return [str(sentence) for sentence in cast("list[str]", self.ready()["degraded"])]

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that have these labels."""
        lines = httpx.get(f"{self.root}/metrics", timeout=DEADLINE_S).text.splitlines()
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        found = [line for line in lines if line.startswith(f"intercom_streams_{name}{{") and all(one in line for one in wanted)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in found)

    def wait_until_drained(self, within: float = DEADLINE_S) -> None:
        """Wait until nothing is in any spool."""
        deadline = time.monotonic() + within
        while self.ready()["spooled_bytes"] or list(self.log.parent.glob("spool/*.spool"))[1:]:
            assert time.monotonic() < deadline, f"the spool is not drained: {self.ready()} {self.log.read_text()[-2000:]}"
            time.sleep(0.05)


def configured(folder: Path, bootstrap: str, prefix: str) -> Path:
    """Write the configuration file."""
    text = config_text(
        kafka={"bootstrap": bootstrap, "topic_prefix": prefix, "partitions": 2},
        ingress={"listen": "127.0.0.1:0", "spool": "spool"},
        apps={"support": (SECRET, NEXT_SECRET), "sales": (SALES_SECRET,)},
        tenants={"acme": {"ws1": "support", "ws2": "sales"}},
    )
    return write_config(folder, text)


def started(config: Path, *options: str) -> Ingress:
    """Start an ingress and return when it listens."""
    log = config.parent / "ingress.log"
    command = [sys.executable, "-m", "streams.cli", "ingress", "--config", str(config), *options]
    environment = {name: value for name, value in os.environ.items() if name != "KAFKA_BOOTSTRAP"}
    with log.open("ab") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment)
    assert process.stdout is not None
    line = process.stdout.readline().decode().strip()
    process.stdout.close()
    assert line.startswith("listening on http://"), log.read_text()[-2000:]
    return Ingress(process, line.removeprefix("listening on "), log)


@contextlib.contextmanager
def running(config: Path, *options: str):
    """Run an ingress for the time of a block; it is killed if it still runs then."""
    ingress = started(config, *options)
    try:
        yield ingress
    finally:
        if ingress.process.poll() is None:
            ingress.process.send_signal(signal.SIGCONT)
            ingress.kill()


async def post_all(url: str, bodies: Mapping[str, bytes], *, connections: int = 32) -> AsyncIterator[str]:
    """Post all bodies over some connections at a time; yield the name of each that was answered 200, as it is."""
    names = iter(bodies)
    answered: asyncio.Queue[str | None] = asyncio.Queue()

    async def one() -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with connected(url) as (reader, writer):
                for name in names:
                    if await exchange(reader, writer, request(bodies[name], signed(bodies[name]))) == 200:
                        answered.put_nowait(name)
        answered.put_nowait(None)

    tasks = [asyncio.create_task(one()) for _ in range(connections)]
    left = len(tasks)
    while left:
        name = await answered.get()
        if name is None:
            left -= 1
        else:
            yield name
    await asyncio.gather(*tasks)


@asynccontextmanager
async def connected(url: str):
    """Open a connection to an address."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def request(body: bytes, headers: Mapping[str, str], *, path: str = "/webhooks/intercom", length: int | None = None) -> bytes:
    """Spell a request; `length` may lie."""
    lines = [f"POST {path} HTTP/1.1", "host: x", f"content-length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode() + body


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> int:
    """Send bytes and return the status of the answer."""
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


async def make_topics(bootstrap: str, prefix: str, only: Iterable[str] = TOPICS) -> None:
    """Create the inbound topics."""
    await apply(KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix, partitions=2), only=tuple(only))


async def landed(bootstrap: str, prefix: str, topics: Sequence[str] = TOPICS) -> list[ConsumerRecord]:
    """Read all records of the inbound topics, to their present end."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        places = [TopicPartition(prefix + topic, number) for topic in topics for number in range(2)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found: list[ConsumerRecord] = []
        deadline = time.monotonic() + DEADLINE_S
        while any([await consumer.position(place) < ends[place] for place in places]):
            assert time.monotonic() < deadline
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
        return found


def ids(records: Iterable[ConsumerRecord]) -> set[str]:
    """Return the event ids of records."""
    return {header(record.headers, "ce_id") or "" for record in records}
