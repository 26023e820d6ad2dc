"""The product's worker over a history of contacts, from nothing: as somebody replays who has kept the inbound topics."""

import tempfile
from pathlib import Path

import msgspec

from bench.child import Usage, running
from bench.cluster import Cluster
from bench.product import Place, applied, command, configured
from bench.replay import contacts
from bench.replay.persons import Persons, persons
from bench.watching import until_still
from connectors.local.ports import free
from streams.settings import load


class Replayed(msgspec.Struct, frozen=True):
    """What came of it, what it used, and the seconds from the start of the process to its last record."""

    persons: Persons
    usage: Usage
    complete: bool
    caught_up_s: float


def replayed(cluster: Cluster, count: int, keys: int, *, name: str, limit_s: float) -> Replayed:
    """Write the webhooks, start one worker, wait until all are persons."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        place = Place(free(set()), cluster.bootstrap, cluster.named(f"{name}."), Path(folder))
        config = configured(place)
        applied(config)
        expected = contacts.publish(load(str(config)), count, keys)
        people = f"{place.prefix}people"
        with running(command(config, "worker")) as child:
            until_still(child, cluster, people, count, limit_s)
            usage = child.end()
        found = persons(cluster, people, expected)
    cluster.delete([each for each in cluster.topics() if each.startswith(place.prefix)])
    return Replayed(found, usage, found.records == count and not found.repeated, found.last - child.started)
