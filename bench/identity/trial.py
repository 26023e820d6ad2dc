"""One trial: a worker, and one after the other the claims of new records and the changes of some."""

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from bench.child import Child, running
from bench.cluster import Cluster, read_all
from bench.identity.claims import TOPIC, ClaimHistory
from bench.product import Deployment, command, create_topics, write_config
from bench.profiles.workloads import publish
from connectors.kafka.publisher import OutboundRecord
from connectors.kafka.settings import KafkaSettings
from connectors.local.ports import free
from schemas.errors import MustStop
from schemas.profiles.identity import ASSIGNMENT
from streams.engine.naming import Naming

NEW, CHANGED = "new_records", "changes"
PHASES = (NEW, CHANGED)
AGENT = "identity"
_ASSIGNMENTS = "contact.assignments"
_STILL_S = 3  # a worker that changed no row for so long is done: a transaction takes a fraction of it
_BEGIN_S = 120
_LIMIT_S = 1_800
_POLL_S = 0.1


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """Claims of a phase, their number a second, CPU a claim, and what the worker's memory grew by."""

    claims: int
    rate: float
    cpu_us: float
    grown_mib: float


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The phases by name, the peak memory, and whether each record ended at the person that follows from the claims."""

    phases: dict[str, Phase]
    peak_mib: float
    assignments: int
    right: bool


def trial(cluster: Cluster, history: ClaimHistory, *, name: str, on_disk: tuple[str, ...]) -> Trial:
    """Measure once."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        deployment = Deployment(free(set()), cluster.bootstrap, cluster.prefixed(f"{name}."), Path(folder))
        config = write_config(deployment, on_disk=on_disk)
        create_topics(config)
        kafka = KafkaSettings(bootstrap=cluster.bootstrap, topic_prefix=deployment.prefix)
        changelog = kafka.topic(Naming().changelog(AGENT))
        with running(command(config, "worker")) as child:
            _wait_for_rules(child, cluster, changelog)
            cluster.use_broker_time([kafka.topic(TOPIC), changelog])
            phases = {
                NEW: _phase(child, cluster, kafka, changelog, history.new_records()),
                CHANGED: _phase(child, cluster, kafka, changelog, history.changes()),
            }
            peak = child.peak_mib()
        sent = list(_messages(cluster, kafka.topic(_ASSIGNMENTS), {}))
    cluster.delete([topic for topic in cluster.topics() if deployment.prefix in topic])
    return Trial(phases=phases, peak_mib=peak, assignments=len(sent), right=_last_profiles(sent, history) == history.moved())


def _wait_for_rules(child: Child, cluster: Cluster, changelog: str) -> None:
    """Wait until the worker has processed the rules that it writes at its start."""
    deadline = time.monotonic() + _BEGIN_S
    while changelog not in cluster.topics() or not sum(cluster.ends(changelog).values()):
        child.must_run()
        if time.monotonic() > deadline:
            raise MustStop(f"the worker wrote no row for {_BEGIN_S} s:\n{child.output()[-2000:]}")
        time.sleep(_POLL_S)


def _phase(child: Child, cluster: Cluster, kafka: KafkaSettings, changelog: str, claims: Iterable[OutboundRecord]) -> Phase:
    topic = kafka.topic(TOPIC)
    claims_before, rows_before = cluster.ends(topic), cluster.ends(changelog)
    cpu_before, memory_before = child.cpu_s(), child.resident_mib()
    publish(kafka, claims)
    _wait_until_still(child, cluster, [topic, changelog])
    cpu, grown = child.cpu_s() - cpu_before, child.resident_mib() - memory_before
    count, first, _ = _times(_messages(cluster, topic, claims_before))
    _, _, last = _times(_messages(cluster, changelog, rows_before))
    seconds = (last - first) / 1000
    return Phase(claims=count, rate=count / seconds if seconds > 0 else 0.0, cpu_us=cpu / max(1, count) * 1e6, grown_mib=grown)


def _times(messages: Any) -> tuple[int, int, int]:
    """Return the number of records, and the first and last time of one."""
    count, first, last = 0, 0, 0
    for message in messages:
        at = message.timestamp()[1]
        count, first, last = count + 1, min(first or at, at), max(last, at)
    return count, first, last


def _wait_until_still(child: Child, cluster: Cluster, topics: list[str]) -> None:
    watch = cluster.watch(topics)
    began = moved_at = time.monotonic()
    end = watch.total()
    while (now := time.monotonic()) - moved_at < _STILL_S and now - began < _LIMIT_S:
        child.must_run()
        time.sleep(_POLL_S)
        reached = watch.total()
        if reached != end:
            end, moved_at = reached, time.monotonic()
    watch.close()


def _last_profiles(sent: list[Any], history: ClaimHistory) -> dict[str, str]:
    """Return the profile of each record whose last assignment is to another record's."""
    last = {message.key().decode(): ASSIGNMENT.decode(message.value()).assignment.profile for message in sent}
    own = history.own_profiles(last)
    return {key: profile for key, profile in last.items() if profile != own[key]}


def _messages(cluster: Cluster, topic: str, begin: dict[int, int]) -> Any:
    return read_all(cluster.bootstrap, topic, cluster.prefixed("read"), begin or None)
