"""The compared systems, each ready for posts: ours as `run` starts it, and the plain path. Both have two transactional hops."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import MappingProxyType

import msgspec

from bench.child import Child, running
from bench.cluster import Cluster
from bench.latency import plain
from bench.latency.paths import PATHS
from bench.product import Deployment, command, wait_until_ready, write_config

Topics = Mapping[str, str]
"""The topic with the consequence of a post, by the path's name."""

_PARTITIONS = 4


@contextmanager
def _ours(deployment: Deployment, cluster: Cluster) -> Iterator[Topics]:
    with running(command(write_config(deployment), "run")) as child:
        wait_until_ready(child, deployment.port)
        yield {name: f"{deployment.prefix}{path.topic}" for name, path in PATHS.items()}


@contextmanager
def _plain(deployment: Deployment, cluster: Cluster) -> Iterator[Topics]:
    first, second, last = (f"{deployment.prefix}plain-{number}" for number in range(3))
    cluster.create({first: {}, second: {}, last: {}}, _PARTITIONS)
    job = msgspec.json.encode(plain.Job(deployment.port, deployment.bootstrap, (first, second, last))).decode()
    with ExitStack() as stack:
        web, _ = (stack.enter_context(running(Child.python("-m", "bench.latency.plain", role, job))) for role in ("web", "loops"))
        wait_until_ready(web, deployment.port)
        yield dict.fromkeys(PATHS, last)


SYSTEMS = MappingProxyType({"ours": _ours, "plain_loops": _plain})
