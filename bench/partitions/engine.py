"""The engine with many partitions: one agent, so one producer per partition."""

import tempfile
from functools import partial

import msgspec
from confluent_kafka import Producer

from bench.child import Child, running
from bench.cluster import Cluster
from bench.engine.events import publish
from bench.engine.job import Job
from bench.engine.rivals import RIVALS
from bench.engine.verify import output_stats, table_fits
from bench.partitions.trial import Trial, at_rest, connections_and_memory
from bench.watching import wait_until_complete
from schemas.partition import partition_of

_LIMIT_S = 300


def trial(cluster: Cluster, partitions: int, count: int, *, name: str, warm: int, posts: int) -> Trial:
    """Process a backlog, then single events."""
    group = cluster.prefixed(name)
    changelog = RIVALS["ours"].changelog.format(group=group)
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        job = Job(cluster.bootstrap, group, f"{group}-source", f"{group}-output", changelog, partitions, folder)
        cluster.create({job.source: {}, job.output: {"message.timestamp.type": "LogAppendTime"}}, partitions)
        cluster.create({changelog: {"cleanup.policy": "compact"}}, partitions)
        expected = publish(cluster.bootstrap, job.source, count, partitions)
        with running(Child.python("-m", "bench.engine.rivals", "ours", msgspec.json.encode(job).decode())) as child:
            wait_until_complete(child, cluster, job.output, count, _LIMIT_S)
            outputs = output_stats(cluster, job.output)
            fits = table_fits(cluster, changelog, expected)
            producer = Producer({"bootstrap.servers": cluster.bootstrap, "linger.ms": 0})
            delays = at_rest(cluster, job.output, partial(_send, producer, job), warm=warm, count=posts)
            connections, memory = connections_and_memory(child, cluster)
    cluster.delete([topic for topic in cluster.topics() if topic.startswith(group)])
    return Trial(
        rate=outputs.rate, connections=connections, memory_mib=memory, delays_ms=delays, start_s=outputs.first - child.started,
        expected=count, outputs=outputs.count, repeated=outputs.repeated, fits=fits,
    )  # fmt: skip


def _send(producer: Producer, job: Job, mark: str) -> None:
    key = f"single-{mark}".encode()
    event = msgspec.json.encode({"id": mark, "kind": "single"})
    producer.produce(job.source, event, key=key, partition=partition_of(key, job.partitions))
    producer.flush()
