"""The systems compared, each ready for posts: ours as `run` starts it, and the plain path by hand. Both have two transactional hops."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import MappingProxyType

import msgspec

from bench.child import Child, running
from bench.cluster import Cluster
from bench.latency import plain
from bench.latency.paths import PATHS
from bench.product import Place, command, configured, until_ready

Topics = Mapping[str, str]
"""Where the consequence of a post shows, by the path's name."""

_PARTITIONS = 4


@contextmanager
def _ours(place: Place, cluster: Cluster) -> Iterator[Topics]:
    with running(command(configured(place), "run")) as child:
        until_ready(child, place.port)
        yield {name: f"{place.prefix}{path.topic}" for name, path in PATHS.items()}


@contextmanager
def _plain(place: Place, cluster: Cluster) -> Iterator[Topics]:
    first, second, last = (f"{place.prefix}plain-{number}" for number in range(3))
    cluster.create({first: {}, second: {}, last: {}}, _PARTITIONS)
    job = msgspec.json.encode(plain.Job(place.port, place.bootstrap, (first, second, last))).decode()
    with ExitStack() as stack:
        web, _ = (stack.enter_context(running(Child.python("-m", "bench.latency.plain", role, job))) for role in ("web", "loops"))
        until_ready(web, place.port)
        yield dict.fromkeys(PATHS, last)


SYSTEMS = MappingProxyType({"ours": _ours, "plain_loops": _plain})
