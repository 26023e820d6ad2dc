"""One trial of one rival: new topics, a process, a wait until no more outputs come, and a check of the outputs."""

import tempfile

import msgspec

from bench.child import Child, Usage, running
from bench.cluster import Cluster
from bench.engine.events import ExpectedRow
from bench.engine.job import Job
from bench.engine.rivals import Rival
from bench.engine.verify import OutputStats, output_stats, table_fits
from bench.watching import wait_until_complete


class InputTopic(msgspec.Struct, frozen=True):
    """The input topic, the number of its events, and the table that must follow from them."""

    topic: str
    partitions: int
    count: int
    expected: dict[bytes, ExpectedRow]


class Trial(msgspec.Struct, frozen=True):
    """Result of a trial. `complete` says that each event gave one output; `fits` is None where no table can be compared.

    `caught_up_s` is from the start of its process to its last output.
    """

    outputs: OutputStats
    usage: Usage
    complete: bool
    fits: bool | None
    caught_up_s: float


def trial(cluster: Cluster, source: InputTopic, name: str, rival: Rival, *, number: int, limit_s: float) -> Trial:
    """Run a rival over the source. Stop a limited rival `limit_s` after its first output, the others after all outputs."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as directory:
        group = cluster.prefixed(f"{name.replace('_', '-')}-{number}")
        changelog = rival.changelog.format(group=group)
        job = Job(cluster.bootstrap, group, source.topic, f"{group}-output", changelog, source.partitions, directory)
        cluster.create(_topics(job), source.partitions)
        with running(Child.python("-m", "bench.engine.rivals", name, msgspec.json.encode(job).decode())) as child:
            wait_until_complete(child, cluster, job.output, None if rival.limited else source.count, limit_s)
            usage = child.stop()
        outputs = output_stats(cluster, job.output)
        complete = outputs.count == source.count and not outputs.repeated
        fits = table_fits(cluster, job.changelog, source.expected) if rival.comparable and complete else None
        cluster.delete([topic for topic in cluster.topics() if topic.startswith(group)])
        return Trial(outputs, usage, complete, fits, outputs.last - child.started)


def _topics(job: Job) -> dict[str, dict[str, str]]:
    return {
        job.output: {"message.timestamp.type": "LogAppendTime"},  # one clock for all rivals
        job.changelog: {"cleanup.policy": "compact"},
    }
