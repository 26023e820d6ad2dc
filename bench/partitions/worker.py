"""The product's worker with many partitions: one producer per agent and partition."""

import tempfile
from pathlib import Path

from bench.child import running
from bench.cluster import Cluster
from bench.latency.paths import PATHS
from bench.latency.posting import connected, post
from bench.partitions.trial import Trial, at_rest, connections_and_memory
from bench.product import Deployment, command, create_topics, wait_until_ready, write_config
from bench.replay import contacts
from bench.replay.persons import changes_of, person_stats
from bench.watching import wait_until_complete
from connectors.local.ports import free
from streams.settings import load

_LIMIT_S = 600
_EVENTS_PER_CONTACT = 10


def trial(cluster: Cluster, partitions: int, count: int, *, name: str, warm: int, posts: int) -> Trial:
    """Process a backlog of contacts, then single posts through the ingress."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        deployment = Deployment(free(set()), cluster.bootstrap, cluster.prefixed(f"{name}."), Path(folder))
        config = write_config(deployment, partitions=partitions)
        create_topics(config)
        expected = contacts.publish(load(str(config)), count, count // _EVENTS_PER_CONTACT)
        people = f"{deployment.prefix}people"
        with running(command(config, "ingress")) as ingress, running(command(config, "worker")) as worker:
            wait_until_complete(worker, cluster, changes_of(people), count, _LIMIT_S)
            people_out = person_stats(cluster, people, expected)
            wait_until_ready(ingress, deployment.port)
            with connected(deployment.port) as connection:
                body = PATHS["person"].body
                delays = at_rest(cluster, people, lambda mark: post(connection, body(mark)), warm=warm, count=posts)
            connections, memory = connections_and_memory(worker, cluster)
    cluster.delete([each for each in cluster.topics() if each.startswith(deployment.prefix)])
    return Trial(
        rate=people_out.rate, connections=connections, memory_mib=memory, delays_ms=delays, start_s=people_out.first - worker.started,
        expected=count, outputs=people_out.records, repeated=people_out.repeated, fits=people_out.fits,
    )  # fmt: skip
