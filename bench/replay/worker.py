"""The product's worker over a history of contacts, from nothing: a replay of retained inbound topics."""

import tempfile
from pathlib import Path

import msgspec

from bench.child import Usage, running
from bench.cluster import Cluster
from bench.product import Deployment, command, create_topics, write_config
from bench.replay import contacts
from bench.replay.persons import PersonStats, changes_of, person_stats
from bench.watching import wait_until_complete
from connectors.local.ports import free
from streams.settings import load


class ReplayResult(msgspec.Struct, frozen=True):
    """The persons, the usage, and the seconds from the start of the process to its last record."""

    persons: PersonStats
    usage: Usage
    complete: bool
    caught_up_s: float


def replay(cluster: Cluster, count: int, keys: int, *, name: str, limit_s: float) -> ReplayResult:
    """Write the webhooks, start one worker, and wait until it has published all changes."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        deployment = Deployment(free(set()), cluster.bootstrap, cluster.prefixed(f"{name}."), Path(folder))
        config = write_config(deployment)
        create_topics(config)
        expected = contacts.publish(load(str(config)), count, keys)
        people = f"{deployment.prefix}people"
        with running(command(config, "worker")) as child:
            wait_until_complete(child, cluster, changes_of(people), count, limit_s)
            usage = child.stop()
        persons_seen = person_stats(cluster, people, expected)
    cluster.delete([each for each in cluster.topics() if each.startswith(deployment.prefix)])
    return ReplayResult(
        persons_seen, usage, persons_seen.records == count and not persons_seen.repeated, persons_seen.last - child.started
    )
