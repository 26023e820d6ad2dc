"""Two changelogs, written once, and restorations from them."""

import tempfile

import msgspec

from bench.child import run_job
from bench.cluster import Cluster, source_producer
from bench.engine.work import encode
from bench.recovery.job import TABLE, Job, RestoreResult
from bench.recovery.rows import key_of, value_of
from schemas.partition import partition_of

_MODULE = "bench.recovery"
_FILL_S = 300
_AROUND_S = 120  # for start and end of the process, the join of the group, and the comparison of the rows


class Changelogs(msgspec.Struct, frozen=True):
    """The same rows in two topics: ours as the engine writes it, stock Faust's in its own format."""

    application: str  # our application: the changelog's name and the group's offsets depend on it
    source: str
    stock: str
    rows: int
    partitions: int


def write_changelogs(cluster: Cluster, rows: int, partitions: int) -> Changelogs:
    """Write both changelogs."""
    changelogs = Changelogs(
        cluster.prefixed("recovery"), cluster.prefixed("recovery-source"), cluster.prefixed("recovery-stock"), rows, partitions
    )
    ours = f"{changelogs.application}.g1.{TABLE}.changelog"
    cluster.create(
        {changelogs.source: {}, ours: {"cleanup.policy": "compact"}, changelogs.stock: {"cleanup.policy": "compact"}}, partitions
    )
    _produce_rows(cluster, changelogs)
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        job = _job(cluster, changelogs, group=changelogs.application, source=changelogs.source, limit_s=_FILL_S, directory=folder)
        run_job(_MODULE, job, _FILL_S + _AROUND_S, "fill")
    return changelogs


def restore(cluster: Cluster, changelogs: Changelogs, side: str, *, number: int, limit_s: float) -> RestoreResult:
    """Restore once, in a new process."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        if side == "recovery_stock":
            group = cluster.prefixed(f"recovery-stock-{number}")
            source = f"{group}-source"
            cluster.create({source: {}}, changelogs.partitions)
        else:
            group, source = changelogs.application, changelogs.source
        job = _job(cluster, changelogs, group=group, source=source, limit_s=limit_s, directory=folder)
        return msgspec.json.decode(run_job(_MODULE, job, limit_s + _AROUND_S, side), type=RestoreResult)


def _job(cluster: Cluster, changelogs: Changelogs, *, group: str, source: str, limit_s: float, directory: str) -> Job:
    return Job(
        bootstrap=cluster.bootstrap, group=group, source=source, changelog=changelogs.stock, partitions=changelogs.partitions,
        rows=changelogs.rows, limit_s=limit_s, directory=directory,
    )  # fmt: skip


def _produce_rows(cluster: Cluster, changelogs: Changelogs) -> None:
    """Write the numbers from which ours makes its rows, and stock Faust's rows, whose keys are JSON as Faust writes them."""
    producer = source_producer(cluster.bootstrap)
    for number in range(changelogs.rows):
        key = key_of(number)
        partition = partition_of(key.encode(), changelogs.partitions)
        producer.produce(changelogs.source, str(number).encode(), key=key.encode(), partition=partition)
        producer.produce(changelogs.stock, encode(value_of(number)), key=encode(key), partition=partition)
        producer.poll(0)
    producer.flush()
