"""One trial: a worker, and one after the other the first import, the teammates, and the complete import with leavers."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from bench.access.company import Company, teammates
from bench.access.facts import FACTS, CompanyFacts, publish_facts
from bench.child import Child, running
from bench.cluster import Cluster, read_all
from bench.product import Deployment, command, create_topics, write_config
from bench.profiles.workloads import publish, stream
from connectors.kafka.settings import KafkaSettings
from connectors.local.ports import free
from schemas.errors import MustStop
from streams.engine.naming import Naming
from streams.settings import load

FIRST, TEAMMATES, COMPLETE = "first_import", "teammates", "complete_import"
PHASES = (FIRST, TEAMMATES, COMPLETE)
_FINDINGS = "access.violations.json"
_OPENED = "Create"
_STILL_S = 3  # a worker that changed no row for so long is done: a transaction takes a fraction of it
_BEGIN_S = 120
_LIMIT_S = 900
_POLL_S = 0.1


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of a phase, their number a second from the append of the first to the last change of a row, and CPU a fact."""

    facts: int
    rate: float
    cpu_us: float
    grown_mib: float


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The phases by name, the peak memory, and the findings opened by check."""

    phases: dict[str, Phase]
    peak_mib: float
    opened: dict[str, int]


class _Log(msgspec.Struct, frozen=True):
    """The topics that show the work: the log of facts, and the changelog of the agent that reads it."""

    cluster: Cluster
    facts: str
    changelog: str

    def ends(self) -> tuple[dict[int, int], dict[int, int]]:
        return self.cluster.ends(self.facts), self.cluster.ends(self.changelog)


def trial(cluster: Cluster, company: Company, facts: CompanyFacts, *, trial_name: str, program: tuple[str, ...]) -> Trial:
    """Measure a release once."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        deployment = Deployment(free(set()), cluster.bootstrap, cluster.prefixed(f"{trial_name}."), Path(folder))
        config = write_config(deployment)
        create_topics(config, program)
        kafka = KafkaSettings(bootstrap=cluster.bootstrap, topic_prefix=deployment.prefix)
        log = _Log(cluster, kafka.topic(FACTS), kafka.topic(Naming().changelog("access")))
        posts = tuple(stream(teammates(company), load(str(config)).tenancy))

        with running(command(config, "worker", program=program)) as child:
            _wait_for_changelog(child, log)
            first = _phase(child, log, lambda: publish_facts(kafka, facts.first_import))
            publish_facts(kafka, facts.policy)
            _wait_until_still(child, log)
            phases = {
                FIRST: first,
                TEAMMATES: _phase(child, log, lambda: publish(kafka, posts)),
                COMPLETE: _phase(child, log, lambda: publish_facts(kafka, facts.complete_import)),
            }
            peak = child.peak_mib()
        opened = _opened(cluster, kafka.topic(_FINDINGS))
    cluster.delete([topic for topic in cluster.topics() if deployment.prefix in topic])
    return Trial(phases=phases, peak_mib=peak, opened=opened)


def _wait_for_changelog(child: Child, log: _Log) -> None:
    """Wait until the worker has read the facts of its configuration, and let the broker stamp its rows from then on."""
    deadline = time.monotonic() + _BEGIN_S
    while log.changelog not in log.cluster.topics() or not sum(log.cluster.ends(log.changelog).values()):
        child.must_run()
        if time.monotonic() > deadline:
            raise MustStop(f"the worker wrote no row for {_BEGIN_S} s:\n{child.output()[-2000:]}")
        time.sleep(_POLL_S)
    log.cluster.use_broker_time([log.changelog])


def _phase(child: Child, log: _Log, write: Callable[[], None]) -> Phase:
    facts_before, rows_before = log.ends()
    cpu_before, memory_before = child.cpu_s(), child.resident_mib()
    write()
    cpu, grown = _wait_until_still(child, log) - cpu_before, child.resident_mib() - memory_before
    appended = [message.timestamp()[1] for message in _messages(log, log.facts, facts_before)]
    changed = [message.timestamp()[1] for message in _messages(log, log.changelog, rows_before) if _is_row(message.key())]
    count = len(appended)
    seconds = (max(changed, default=0) - min(appended, default=0)) / 1000
    return Phase(
        facts=count, rate=count / seconds if count and seconds > 0 else 0.0, cpu_us=cpu / max(1, count) * 1e6, grown_mib=grown
    )


def _wait_until_still(child: Child, log: _Log) -> float:
    """Wait until nothing is written any more; return the CPU seconds used until then, so without those of a worker at rest."""
    watch = log.cluster.watch([log.facts, log.changelog])
    began = moved_at = time.monotonic()
    end, cpu = watch.total(), child.cpu_s()
    while (now := time.monotonic()) - moved_at < _STILL_S and now - began < _LIMIT_S:
        child.must_run()
        time.sleep(_POLL_S)
        reached = watch.total()
        if reached != end:
            end, moved_at, cpu = reached, time.monotonic(), child.cpu_s()
    watch.close()
    return cpu


def _is_row(key: bytes) -> bool:
    """Return whether a key of the changelog is a row's; those of the engine begin with `|`."""
    return not key.startswith(b"|")


def _messages(log: _Log, topic: str, begin: dict[int, int]) -> Any:
    return read_all(log.cluster.bootstrap, topic, log.cluster.prefixed("read"), begin)


class _Analytic(msgspec.Struct):
    uid: str


class _Info(msgspec.Struct):
    analytic: _Analytic


class _Finding(msgspec.Struct):
    activity_name: str
    finding_info: _Info


def _opened(cluster: Cluster, topic: str) -> dict[str, int]:
    """Return how many findings were opened, by check."""
    decode = msgspec.json.Decoder(_Finding).decode
    messages: Any = read_all(cluster.bootstrap, topic, cluster.prefixed("read"))
    findings = [decode(message.value()) for message in messages]
    return dict(Counter(each.finding_info.analytic.uid for each in findings if each.activity_name == _OPENED))
