"""One trial: new topics, a warm-up, the workload, a wait until all changes are written, and a check of what was published."""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bench.broker_cpu import broker_cpu_s
from bench.child import Child, running
from bench.cluster import Cluster, read_all, read_topics
from bench.earlier import earlier_product
from bench.log_sizes import topic_bytes
from bench.product import PROGRAM, Deployment, command, create_topics, write_config
from bench.profiles.persons import last_persons
from bench.profiles.systems import SYSTEMS
from bench.profiles.systems.job import CONTACTS_AGENT, PEOPLE_AGENT, Job
from bench.profiles.workloads import CONTACTS, Routed, about_contacts, publish
from bench.watching import wait_until_complete
from connectors.kafka.settings import KafkaSettings
from connectors.local.ports import free
from schemas.errors import MustStop

PARTITIONS = 4
PATCHES, PEOPLE, CHANGES = "person.patches", "people", "people.changes"
_INTERNAL = (".patches", ".claims", ".assignments")
_LIMIT_S = 600
KINDS = ("changelogs", "patches", "public")

Ends = Mapping[str, Mapping[int, int]]
"""End offsets by topic and partition."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """Result for one system and workload, without its warm-up.

    `rate` is posts a second from the append of the first to the append of the last change; `written` has the bytes a post on the
    broker's disk by kind of topic, compressed, and `content` the same before compression.
    """

    rate: float
    cpu_us: float
    broker_us: float  # of all brokers of the cluster, where they run on this machine
    grown_mib: float
    peak_mib: float
    contacts: int
    written: Mapping[str, float]
    content: Mapping[str, float]
    complete: bool
    fits: bool
    began: Ends  # where the records behind the warm-up begin


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What a system is started with: the deployment with its configuration, and the file of prepared records."""

    cluster: Cluster
    deployment: Deployment
    config: Path
    prepared: Path | None


def trial(cluster: Cluster, name: str, workload: Routed, *, trial_name: str, prepared: Path | None = None) -> Trial:
    """Measure a system once."""
    with measured(cluster, name, workload, trial_name=trial_name, prepared=prepared) as (_, result, _):
        return result


@contextmanager
def measured(
    cluster: Cluster,
    name: str,
    workload: Routed,
    *,
    trial_name: str,
    prepared: Path | None = None,
    child_of: Callable[[Start], Child] | None = None,
    on_disk: tuple[str, ...] = (),
) -> Iterator[tuple[Deployment, Trial, Child]]:
    """Yield the result while the topics and files are still there; delete them after the block."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        deployment = Deployment(free(set()), cluster.bootstrap, cluster.prefixed(f"{trial_name}."), Path(folder))
        config = write_config(deployment, partitions=PARTITIONS, on_disk=on_disk, tenant=SYSTEMS[name].tenant)
        create_topics(config, _program(name))
        kafka = KafkaSettings(bootstrap=cluster.bootstrap, topic_prefix=deployment.prefix, partitions=PARTITIONS)
        _create_changelogs(cluster, name, kafka)
        cluster.use_broker_time([kafka.topic(CONTACTS), kafka.topic(CHANGES)])
        start = Start(cluster=cluster, deployment=deployment, config=config, prepared=prepared)
        with running((child_of or _child(name))(start)) as child:
            result = _run(cluster, kafka, workload, child, SYSTEMS[name].persons)
            yield deployment, result, child
    cluster.delete([each for each in cluster.topics() if deployment.prefix in each])


def _program(name: str) -> tuple[str, ...]:
    """Return the command line of the product that makes the topics: an earlier one makes its own."""
    commit = SYSTEMS[name].commit
    if commit is None:
        return PROGRAM
    earlier = earlier_product(commit)
    if earlier is None:
        raise MustStop("the earlier commit was there when the benchmark began, and is no more")
    return tuple(earlier.program)


def _child(name: str) -> Callable[[Start], Child]:
    module, verb = SYSTEMS[name].module, SYSTEMS[name].verb
    if module is None:
        return lambda start: command(start.config, *verb, program=_program(name))

    def other(start: Start) -> Child:
        job = Job(
            bootstrap=start.cluster.bootstrap, prefix=start.deployment.prefix, partitions=PARTITIONS,
            directory=str(start.deployment.folder), prepared=str(start.prepared or ""),
        )  # fmt: skip
        return Child.python("-m", "bench.profiles.systems", module, msgspec.json.encode(job).decode())

    return other


def _create_changelogs(cluster: Cluster, name: str, kafka: KafkaSettings) -> None:
    """Create the changelogs of the loops; every other system makes its own."""
    if name == "raw_aiokafka":
        job = Job(bootstrap=kafka.bootstrap, prefix=kafka.topic_prefix, partitions=kafka.partitions, directory="")
        settings = {"cleanup.policy": "compact"}
        cluster.create({job.changelog(agent): settings for agent in (CONTACTS_AGENT, PEOPLE_AGENT)}, kafka.partitions)


def _run(cluster: Cluster, kafka: KafkaSettings, workload: Routed, child: Child, persons: str | None) -> Trial:
    changes = kafka.topic(CHANGES)
    warm, all_changes = about_contacts(workload.warm_up), about_contacts((*workload.warm_up, *workload.measured))
    publish(kafka, workload.warm_up)
    wait_until_complete(child, cluster, changes, warm, _LIMIT_S)
    began = cluster.ends_of([topic for topic in cluster.topics() if kafka.topic_prefix in topic])
    broker_before = broker_cpu_s(cluster.brokers())
    bytes_before, cpu_before, memory_before = topic_bytes(cluster.brokers()), child.cpu_s(), child.resident_mib()
    publish(kafka, workload.measured)
    wait_until_complete(child, cluster, changes, all_changes, _LIMIT_S)
    cpu, grown = child.cpu_s() - cpu_before, child.resident_mib() - memory_before
    broker = broker_cpu_s(cluster.brokers()) - broker_before
    written = topic_bytes(cluster.brokers())
    written.subtract(bytes_before)
    read = _read(cluster, kafka, began)
    first = read.first[kafka.topic(CONTACTS)]
    return Trial(
        rate=workload.posts / (read.last[changes] - first) * 1000 if read.counts[changes] else 0.0,
        cpu_us=cpu / workload.posts * 1e6,
        broker_us=broker / workload.posts * 1e6,
        grown_mib=grown,
        peak_mib=child.peak_mib(),
        contacts=workload.contacts,
        written=_by_kind(written, kafka, workload.posts),
        content=_by_kind(read.content, kafka, workload.posts),
        complete=read.counts[changes] >= all_changes - warm,  # a contact that moves to another person adds changes
        fits=persons is None or _fits(cluster, kafka, workload, persons),
        began=began,
    )


class _Read(msgspec.Struct):
    """What was read of each topic: number and bytes of records, and the first and last time in ms."""

    counts: Counter[str] = msgspec.field(default_factory=Counter)
    content: Counter[str] = msgspec.field(default_factory=Counter)
    first: dict[str, int] = msgspec.field(default_factory=dict)
    last: dict[str, int] = msgspec.field(default_factory=lambda: defaultdict(int))


def _read(cluster: Cluster, kafka: KafkaSettings, began: Ends) -> _Read:
    """Read what was written since the ends given."""
    read = _Read()
    ends = cluster.ends_of([topic for topic in cluster.topics() if kafka.topic_prefix in topic])
    written = {topic: began.get(topic, {}) for topic, end in ends.items() if end != began.get(topic)}
    for message in read_topics(cluster.bootstrap, cluster.prefixed("read"), written):
        topic, time = message.topic(), message.timestamp()[1]
        read.counts[topic] += 1
        read.content[topic] += _size(message)
        read.first[topic] = min(time, read.first.get(topic, time))
        read.last[topic] = max(time, read.last[topic])
    return read


def records(cluster: Cluster, topic: str, begin: Mapping[int, int] | None = None) -> Any:
    """Return the committed records of a topic from the offsets given."""
    return read_all(cluster.bootstrap, topic, cluster.prefixed("read"), begin)


def _size(message: Any) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in message.headers() or ())
    return len(message.key() or b"") + len(message.value() or b"") + headers


def _by_kind(sizes: Mapping[str, int], kafka: KafkaSettings, posts: int) -> dict[str, float]:
    kinds = dict.fromkeys(KINDS, 0.0)
    for topic, size in sizes.items():
        kind = _kind(topic, kafka)
        if kind is not None:
            kinds[kind] += size / posts
    return kinds


def _kind(topic: str, kafka: KafkaSettings) -> str | None:
    """Return the kind of a topic of this trial; None for the inbound ones and those of other trials."""
    plain = topic.partition(kafka.topic_prefix)[2]
    if not plain or plain.startswith("intercom."):
        return None
    return "changelogs" if "changelog" in topic else "patches" if plain.endswith(_INTERNAL) else "public"


def _fits(cluster: Cluster, kafka: KafkaSettings, workload: Routed, encoding: str) -> bool:
    latest = {message.key(): message.value() for message in records(cluster, kafka.topic(PEOPLE))}
    return last_persons(latest.values(), encoding) == workload.expected
