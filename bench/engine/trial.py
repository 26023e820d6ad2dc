"""One rival, once: fresh topics, a process, wait until its outputs stand still, end it, look at what it left."""

import tempfile
import time

import msgspec

from bench.child import Child, Usage, running
from bench.cluster import Cluster, Watch
from bench.engine.events import Expected
from bench.engine.job import Job
from bench.engine.rivals import Rival
from bench.engine.verify import Outcome, outcome, table_fits
from schemas.errors import MustStop

_BEGIN_S = 60  # to the first output: start, join, and a machine that is busy
_STILL_S = 2  # no new output for this long means that a rival is through
_LOOK_S = 0.25


class Source(msgspec.Struct, frozen=True):
    """The input topic, how many events it holds and what a table over them must hold."""

    topic: str
    partitions: int
    count: int
    expected: dict[bytes, Expected]


class Trial(msgspec.Struct, frozen=True):
    """What a rival did and used. `complete` says that each event gave one output; `fits` is None where no table can be compared."""

    outcome: Outcome
    usage: Usage
    complete: bool
    fits: bool | None


def trial(cluster: Cluster, source: Source, name: str, rival: Rival, *, number: int, limit_s: float) -> Trial:
    """Run a rival over the source. A limited one is stopped `limit_s` after its first output, the others after all of them."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as directory:
        group = cluster.named(f"{name.replace('_', '-')}-{number}")
        changelog = rival.changelog.format(group=group)
        job = Job(cluster.bootstrap, group, source.topic, f"{group}-output", changelog, source.partitions, directory)
        cluster.create(_topics(job), source.partitions)
        with running(Child.python("-m", "bench.engine.rivals", name, msgspec.json.encode(job).decode())) as child:
            _wait(child, cluster.watching([job.output]), None if rival.limited else source.count, limit_s)
            usage = child.end()
        found = outcome(cluster, job.output)
        complete = found.outputs == source.count and not found.repeated
        fits = table_fits(cluster, job.changelog, source.expected) if rival.comparable and complete else None
        cluster.delete([topic for topic in cluster.topics() if topic.startswith(group)])
        return Trial(found, usage, complete, fits)


def _topics(job: Job) -> dict[str, dict[str, str]]:
    return {
        job.output: {"message.timestamp.type": "LogAppendTime"},  # one clock for all rivals
        job.changelog: {"cleanup.policy": "compact"},
    }


def _wait(child: Child, watch: Watch, wanted: int | None, limit_s: float) -> None:
    """Wait for the first output, then for the limit, or until nothing comes any more once `wanted` are there."""
    started = time.monotonic()
    while watch.total() == 0:
        child.must_run()
        if time.monotonic() - started > _BEGIN_S:
            raise MustStop(f"{child.command[-2]} wrote nothing for {_BEGIN_S} s:\n{child.output()[-2000:]}")
        time.sleep(_LOOK_S)
    began = moved = time.monotonic()
    seen = 0
    while time.monotonic() - began < limit_s:
        child.must_run()
        reached = watch.total()
        if reached != seen:
            seen, moved = reached, time.monotonic()
        elif wanted is not None and reached >= wanted and time.monotonic() - moved > _STILL_S:
            break
        time.sleep(_LOOK_S)
    watch.close()
