"""The systems compared, each ready for posts: ours as `run` starts it, and the plain path by hand."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import MappingProxyType

import msgspec

from bench.child import Child, running
from bench.cluster import Cluster
from bench.latency import plain
from bench.latency.paths import Path
from bench.product import Place, command, configured, until_ready

_PARTITIONS = 4


@contextmanager
def _ours(place: Place, cluster: Cluster, path: Path) -> Iterator[str]:
    with running(command(configured(place), "run")) as child:
        until_ready(child, place.port)
        yield f"{place.prefix}{path.topic}"


@contextmanager
def _plain(place: Place, cluster: Cluster, path: Path) -> Iterator[str]:
    first, second, last = (f"{place.prefix}plain-{number}" for number in range(3))
    cluster.create({first: {}, second: {}, last: {}}, _PARTITIONS)
    job = msgspec.json.encode(plain.Job(place.port, place.bootstrap, (first, second, last))).decode()
    with ExitStack() as stack:
        web, _ = (stack.enter_context(running(Child.python("-m", "bench.latency.plain", role, job))) for role in ("web", "loops"))
        until_ready(web, place.port)
        yield last


SYSTEMS = MappingProxyType({"ours": _ours, "plain_loops": _plain})
