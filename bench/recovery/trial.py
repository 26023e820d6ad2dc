"""The changelogs, written once, and one restoration after the other from them."""

import tempfile

import msgspec

from bench.child import ask
from bench.cluster import Cluster, filling
from bench.engine.work import encode
from bench.recovery.job import TABLE, Job, Restored
from bench.recovery.rows import key_of, value_of
from schemas.partition import partition_of

_MODULE = "bench.recovery"
_FILL_S = 300
_AROUND_S = 120  # start of the process, joining, comparing every row, and its end


class Changelogs(msgspec.Struct, frozen=True):
    """The same rows in two topics: ours as the engine writes it, stock Faust's in its own format."""

    application: str  # ours: the changelog is named after it, and the group's offsets belong to it
    source: str
    stock: str
    rows: int
    partitions: int


def written(cluster: Cluster, rows: int, partitions: int) -> Changelogs:
    """Write both changelogs."""
    made = Changelogs(
        cluster.named("recovery"), cluster.named("recovery-source"), cluster.named("recovery-stock"), rows, partitions
    )
    ours = f"{made.application}.g1.{TABLE}.changelog"
    cluster.create({made.source: {}, ours: {"cleanup.policy": "compact"}, made.stock: {"cleanup.policy": "compact"}}, partitions)
    _produced(cluster, made)
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        job = _job(cluster, made, group=made.application, source=made.source, limit_s=_FILL_S, directory=folder)
        ask(_MODULE, job, _FILL_S + _AROUND_S, "fill")
    return made


def restored(cluster: Cluster, changelogs: Changelogs, side: str, *, number: int, limit_s: float) -> Restored:
    """Restore once, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        if side == "recovery_stock":
            group = cluster.named(f"recovery-stock-{number}")
            source = f"{group}-source"
            cluster.create({source: {}}, changelogs.partitions)
        else:
            group, source = changelogs.application, changelogs.source
        job = _job(cluster, changelogs, group=group, source=source, limit_s=limit_s, directory=folder)
        return msgspec.json.decode(ask(_MODULE, job, limit_s + _AROUND_S, side), type=Restored)


def _job(cluster: Cluster, changelogs: Changelogs, *, group: str, source: str, limit_s: float, directory: str) -> Job:
    return Job(
        bootstrap=cluster.bootstrap, group=group, source=source, changelog=changelogs.stock, partitions=changelogs.partitions,
        rows=changelogs.rows, limit_s=limit_s, directory=directory,
    )  # fmt: skip


def _produced(cluster: Cluster, made: Changelogs) -> None:
    """Write the numbers that ours makes its rows of, and stock Faust's rows, their keys spelled as JSON, as Faust spells them."""
    producer = filling(cluster.bootstrap)
    for number in range(made.rows):
        key = key_of(number)
        partition = partition_of(key.encode(), made.partitions)
        producer.produce(made.source, str(number).encode(), key=key.encode(), partition=partition)
        producer.produce(made.stock, encode(value_of(number)), key=encode(key), partition=partition)
        producer.poll(0)
    producer.flush()
