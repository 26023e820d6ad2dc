"""The servers compared: the bare one, and our ingress in its ways of working."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import msgspec

from bench.child import Child, running
from bench.product import Place, command, configured, until_ready
from connectors.local.ports import free


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """How to start a server. `keeps` says that what it accepts must be in Kafka in the end."""

    about: str
    start: Callable[[Place], Child]
    keeps: bool = True
    ready: str = "/ready"
    goal: float | None = None


def _bare(place: Place) -> Child:
    return Child.python("-m", "bench.ingress.bare", str(place.port))


def _one(place: Place) -> Child:
    return command(configured(place), "ingress")


def _two(place: Place) -> Child:
    return command(configured(place, processes=2), "ingress")


def _over_spool(place: Place) -> Child:
    return command(configured(place, spool_always=True), "ingress")


SERVERS = MappingProxyType({
    "bare": Server(about="reads the body, answers 200", start=_bare, keeps=False, ready="/"),
    "one_process": Server(about="ours, acks=all", start=_one, goal=0.42),
    "spool": Server(about="ours, all over the spool and its drain", start=_over_spool, goal=0.42),
    "two_processes": Server(about="ours, acks=all, two processes", start=_two, goal=0.75),
})  # fmt: skip


@contextmanager
def serving(server: Server, bootstrap: str, prefix: str, folder: Path) -> Iterator[tuple[Child, int]]:
    """Have a server that is ready, and its port, for the block."""
    place = Place(free(set()), bootstrap, prefix, folder)
    with running(server.start(place)) as child:
        until_ready(child, place.port, server.ready)
        yield child, place.port
