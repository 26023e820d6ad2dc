"""One reading of one simulated workspace by one reader, each a process of its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

import httpx
import msgspec

from bench.child import Child, run_job, running
from bench.cluster import Cluster, read_all
from bench.sync.job import APP_ID, TOKEN, ReadingJob, ReadingResult
from connectors.local.ports import free
from schemas.errors import Unavailable

READERS = MappingProxyType({"bare": "bench.sync.bare", "ours": "bench.sync.ours"})
_LIMIT = "1000000"  # calls in ten seconds: the simulator's rate limit is not what is measured
_READY_S = 60
_CONTACTS, _JOURNAL = "intercom.contacts", "operations"
_PARTITIONS = 4


class Trial(msgspec.Struct, frozen=True):
    """A reading of a workspace of so many `contacts`, how many different ones Kafka has, and the CPU seconds of the simulator."""

    contacts: int
    reading: ReadingResult
    stored: int
    simulator_cpu_s: float

    @property
    def rate(self) -> float:
        """Contacts of the workspace a second: what is read twice counts once."""
        return self.contacts / self.reading.seconds


def trial(cluster: Cluster, reader: str, contacts: int, *, name: str, limit_s: float) -> Trial:
    """Read a workspace of so many contacts."""
    prefix = cluster.prefixed(f"{name}.")
    topics = [f"{prefix}{topic}" for topic in (_CONTACTS, _JOURNAL)]
    cluster.create({topic: {} for topic in topics}, _PARTITIONS)
    with _simulated(contacts) as (child, url):
        before = child.cpu_s()
        job = ReadingJob(url, cluster.bootstrap, prefix)
        reading = msgspec.json.decode(run_job(READERS[reader], job, limit_s), type=ReadingResult)
        used = child.cpu_s() - before
    stored = len({record.key() for record in read_all(cluster.bootstrap, topics[0], f"{prefix}reader")})
    cluster.delete(topics)
    return Trial(contacts, reading, stored, used)


@contextmanager
def _simulated(contacts: int) -> Iterator[tuple[Child, str]]:
    """Yield a simulator that answers, and its URL."""
    port = free(set())
    options = ("--app-id", APP_ID, "--token", TOKEN, "--contacts", str(contacts), "--limit", _LIMIT)
    command = ("-m", "streams.cli", "simulate", "serve", "--listen", f"127.0.0.1:{port}", *options)
    url = f"http://127.0.0.1:{port}"
    with running(Child.python(*command)) as child:
        deadline = time.monotonic() + _READY_S
        while not _answers(url):
            child.must_run()
            if time.monotonic() > deadline:
                raise Unavailable(f"the simulator did not answer within {_READY_S} s")
            time.sleep(0.05)
        yield child, url


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/simulator/truth").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
