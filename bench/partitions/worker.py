"""The product's worker over many partitions, with all its agents: so many producers for each partition."""

import tempfile
from pathlib import Path

from bench.child import running
from bench.cluster import Cluster
from bench.latency.paths import PATHS
from bench.latency.posting import connected, post
from bench.partitions.trial import Trial, at_rest, seen
from bench.product import Place, applied, command, configured, until_ready
from bench.replay import contacts
from bench.replay.persons import persons
from bench.watching import until_still
from connectors.local.ports import free
from streams.settings import load

_LIMIT_S = 600
_CONTACTS = 10  # events a contact


def trial(cluster: Cluster, partitions: int, count: int, *, name: str, warm: int, posts: int) -> Trial:
    """Process a backlog of contacts, then single posts through the ingress."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        place = Place(free(set()), cluster.bootstrap, cluster.named(f"{name}."), Path(folder))
        config = configured(place, partitions=partitions)
        applied(config)
        expected = contacts.publish(load(str(config)), count, count // _CONTACTS)
        people = f"{place.prefix}people"
        with running(command(config, "ingress")) as ingress, running(command(config, "worker")) as worker:
            until_still(worker, cluster, people, count, _LIMIT_S)
            found = persons(cluster, people, expected)
            until_ready(ingress, place.port)
            with connected(place.port) as connection:
                body = PATHS["person"].body
                delays = at_rest(cluster, people, lambda mark: post(connection, body(mark)), warm=warm, count=posts)
            connections, memory = seen(worker, cluster)
    cluster.delete([each for each in cluster.topics() if each.startswith(place.prefix)])
    return Trial(
        rate=found.rate, connections=connections, memory_mib=memory, delays_ms=delays, start_s=found.first - worker.started,
        wanted=count, outputs=found.records, repeated=found.repeated, fits=found.fits,
    )  # fmt: skip
