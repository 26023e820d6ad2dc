"""A SCIM server as a user runs it: a configuration file and a process, asked over HTTP, killed and started again."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import apply
from schemas.access import fact_records
from schemas.access.facts import TOPIC, Fact
from schemas.codec import Avro
from tests.patience import DEADLINE_S
from tests.support.config import config_text, write_config

TOKEN = "a-token-of-the-tests-0001"
OTHER_TOKEN = "a-token-of-the-tests-0002"


class ScimServer:
    """One running process."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log
        self.root = url.removesuffix("/scim/v2")

    def wait_until_ready(self, within: float = DEADLINE_S) -> None:
        """Wait until requests are answered."""
        deadline = time.monotonic() + within
        while httpx.get(f"{self.root}/ready", timeout=DEADLINE_S).status_code != 200:
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a power failure would end a process."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to stop and return its exit code."""
        self.process.terminate()
        return self.process.wait(60)


def scim_config(folder: Path, bootstrap: str, prefix: str, *sources: str) -> Path:
    """Write the configuration of two tenants; `sources` are the lines of acme's [[tenants.scim]]."""
    lines = sources or (f'source = "okta"\ntokens = ["{TOKEN}"]',)
    text = config_text(kafka={"bootstrap": bootstrap, "topic_prefix": prefix, "partitions": 2}, scim={"listen": "127.0.0.1:0"})
    text += "".join(f"[[tenants.scim]]\n{each}\n" for each in lines)
    text += f'[[tenants]]\nid = "globex"\n[[tenants.scim]]\nsource = "okta"\ntokens = ["{OTHER_TOKEN}"]\n'
    return write_config(folder, text)


def started(config: Path) -> ScimServer:
    """Start a server and return when it listens."""
    log = config.parent / "scim.log"
    command = [sys.executable, "-m", "streams.cli", "scim", "--config", str(config)]
    environment = {name: value for name, value in os.environ.items() if name != "KAFKA_BOOTSTRAP"}
    with log.open("ab") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment)
    assert process.stdout is not None
    line = process.stdout.readline().decode().strip()
    process.stdout.close()
    assert line.startswith("listening on http://"), log.read_text()[-2000:]
    return ScimServer(process, line.removeprefix("listening on "), log)


@contextlib.contextmanager
def scim_server(config: Path) -> Iterator[ScimServer]:
    """Run a server for the time of a block; it is killed if it still runs then."""
    server = started(config)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


def client(server: ScimServer, token: str = TOKEN) -> httpx.Client:
    """Return a client with a token, to be used in `with`."""
    return httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {token}"}, timeout=DEADLINE_S)


def answered(ask: Callable[[], httpx.Response], within: float = DEADLINE_S) -> int:
    """Return the status of an answer; ask again where the other instances wrote all the time, as a client does."""
    deadline = time.monotonic() + within
    while (answer := ask()).status_code == 503:
        assert answer.headers["retry-after"]
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return answer.status_code


async def make_fact_log(bootstrap: str, prefix: str) -> None:
    """Create the topic of facts."""
    await apply(KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix, partitions=2), only=(TOPIC,))


async def facts_in_log(bootstrap: str, prefix: str) -> list[Fact]:
    """Read all committed facts, to the present end of the log."""
    avro, found = Avro.local(), []
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level="read_committed"
    ) as consumer:
        places = [TopicPartition(prefix + TOPIC, number) for number in range(2)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        deadline = time.monotonic() + DEADLINE_S
        while any([await consumer.position(place) < ends[place] for place in places]):
            assert time.monotonic() < deadline
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [fact_records.decode(avro, record.value) for record in records]
    return found
