"""The compared servers: the bare one, and our ingress in several configurations."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import msgspec

from bench.child import Child, running
from bench.product import Deployment, command, wait_until_ready, write_config
from connectors.local.ports import free


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """How to start a server. With `stores_posts`, every accepted post must be in Kafka in the end."""

    about: str
    start: Callable[[Deployment], Child]
    stores_posts: bool = True
    ready: str = "/ready"
    goal: float | None = None


def _bare(deployment: Deployment) -> Child:
    return Child.python("-m", "bench.ingress.bare", str(deployment.port))


def _one(deployment: Deployment) -> Child:
    return command(write_config(deployment), "ingress")


def _two(deployment: Deployment) -> Child:
    return command(write_config(deployment, processes=2), "ingress")


def _over_spool(deployment: Deployment) -> Child:
    return command(write_config(deployment, spool_always=True), "ingress")


SERVERS = MappingProxyType({
    "bare": Server(about="reads the body, answers 200", start=_bare, stores_posts=False, ready="/"),
    "one_process": Server(about="ours, acks=all", start=_one, goal=0.42),
    "spool": Server(about="ours, all over the spool and its drain", start=_over_spool, goal=0.42),
    "two_processes": Server(about="ours, acks=all, two processes", start=_two, goal=0.75),
})  # fmt: skip


@contextmanager
def serving(server: Server, bootstrap: str, prefix: str, folder: Path) -> Iterator[tuple[Child, int]]:
    """Yield a server that is ready, and its port; stop the server at the end of the block."""
    deployment = Deployment(free(set()), bootstrap, prefix, folder)
    with running(server.start(deployment)) as child:
        wait_until_ready(child, deployment.port, server.ready)
        yield child, deployment.port
