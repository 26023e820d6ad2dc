"""One rival, once: fresh topics, a process, wait until its outputs stand still, end it, look at what it left."""

import tempfile

import msgspec

from bench.child import Child, Usage, running
from bench.cluster import Cluster
from bench.engine.events import Expected
from bench.engine.job import Job
from bench.engine.rivals import Rival
from bench.engine.verify import Outcome, outcome, table_fits
from bench.watching import until_still


class Source(msgspec.Struct, frozen=True):
    """The input topic, how many events it holds and what a table over them must hold."""

    topic: str
    partitions: int
    count: int
    expected: dict[bytes, Expected]


class Trial(msgspec.Struct, frozen=True):
    """What a rival did and used. `complete` says that each event gave one output; `fits` is None where no table can be compared.

    `caught_up_s` is from the start of its process to its last output.
    """

    outcome: Outcome
    usage: Usage
    complete: bool
    fits: bool | None
    caught_up_s: float


def trial(cluster: Cluster, source: Source, name: str, rival: Rival, *, number: int, limit_s: float) -> Trial:
    """Run a rival over the source. A limited one is stopped `limit_s` after its first output, the others after all of them."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as directory:
        group = cluster.named(f"{name.replace('_', '-')}-{number}")
        changelog = rival.changelog.format(group=group)
        job = Job(cluster.bootstrap, group, source.topic, f"{group}-output", changelog, source.partitions, directory)
        cluster.create(_topics(job), source.partitions)
        with running(Child.python("-m", "bench.engine.rivals", name, msgspec.json.encode(job).decode())) as child:
            until_still(child, cluster, job.output, None if rival.limited else source.count, limit_s)
            usage = child.end()
        found = outcome(cluster, job.output)
        complete = found.outputs == source.count and not found.repeated
        fits = table_fits(cluster, job.changelog, source.expected) if rival.comparable and complete else None
        cluster.delete([topic for topic in cluster.topics() if topic.startswith(group)])
        return Trial(found, usage, complete, fits, found.last - child.started)


def _topics(job: Job) -> dict[str, dict[str, str]]:
    return {
        job.output: {"message.timestamp.type": "LogAppendTime"},  # one clock for all rivals
        job.changelog: {"cleanup.policy": "compact"},
    }
