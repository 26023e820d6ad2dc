"""The formula of docs/sizing.md: what an installation needs, from measured figures. `python -m bench.scale.document` writes its table.

The figures are those of docs/benchmarks.md on the machine named there, quiet. Another machine has others; the formula stays.
"""

import math
from typing import Final, NamedTuple

import msgspec

_DAY_S: Final = 86_400
_PARTITIONS: Final = (4, 64)  # the fewest and the most that are worth it


class Kept(NamedTuple):
    """KiB that a contact, a conversation and an activity take."""

    contact: float
    conversation: float
    activity: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What an event, a contact, a conversation and an activity cost. `load` is the share of a core that is used at the usual rate: the rest is for peaks and catching up.

    Of conversations and activities: `bench.scale.in_process` counts rows, their bytes and what a table in memory takes for them; the worker grows by 1.9
    times that a contact, files on disk have 2.2 times the bytes, changelogs 0.65 times.
    """

    worker_us: float = 200.0  # CPU of workers an event: `scripts/bench profiles`, live
    broker_us: float = 200.0  # CPU of one broker an event and copy: `scripts/bench scale`
    ingress_us: float = 40.0  # CPU of an ingress a post, over the spool: `scripts/bench ingress`
    load: float = 0.5
    base_mib: float = 160.0  # a worker without tables
    row_kib: Kept = Kept(5.5, 3.4, 3.4)  # memory in all tables; a contact: `scripts/bench profiles`, first_sync
    disk_kib: Kept = Kept(4.0, 2.7, 2.1)  # files of tables, with what compaction needs for a moment
    changelog_kib: Kept = Kept(1.2, 0.8, 0.6)  # rows in changelogs and compacted topics, compressed
    conversations: float = 0.5  # of a contact
    activities: float = 4.0  # of a contact
    inbound_b: float = 500.0  # a post on its topic, compressed
    changes_b: float = 180.0  # what follows from an event on topics kept for 90 days, compressed
    short_b: float = 170.0  # and on those kept for 7 days
    kept_days: float = 90.0
    short_days: float = 7.0
    copies: int = 3
    in_memory_gib: float = 10.0  # of tables in all workers; beyond, they belong on disk

    def of_contact(self, kept: Kept) -> float:
        """Return the KiB of a contact with its conversations and activities."""
        return kept.contact + self.conversations * kept.conversation + self.activities * kept.activity


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation needs. Memory and disk are of one worker."""

    partitions: int
    workers: int
    ingresses: int
    on_disk: bool
    memory_gib: float
    tables_gib: float
    kafka_gib: float
    broker_cores: float
    broker_mb_s: float


def size(contacts: int, events_s: float, figures: Figures | None = None) -> Size:
    """Return what so many contacts and events a second need."""
    each = figures or Figures()
    workers = max(2, math.ceil(events_s * each.worker_us / 1e6 / each.load))
    rows_mib = contacts * each.of_contact(each.row_kib) / 1024
    on_disk = rows_mib > each.in_memory_gib * 1024
    written_b = (each.inbound_b + each.changes_b + each.short_b) * events_s
    kept_gib = (
        contacts * each.of_contact(each.changelog_kib) / 1024**2
        + events_s * _DAY_S * (each.kept_days * (each.inbound_b + each.changes_b) + each.short_days * each.short_b) / 1024**3
    )
    return Size(
        partitions=partitions(workers),
        workers=workers,
        ingresses=max(2, math.ceil(events_s * each.ingress_us / 1e6 / each.load)),
        on_disk=on_disk,
        memory_gib=(each.base_mib + (each.base_mib if on_disk else rows_mib / workers)) / 1024,
        tables_gib=contacts * each.of_contact(each.disk_kib) / 1024**2 / workers if on_disk else 0.0,
        kafka_gib=kept_gib * each.copies,
        broker_cores=events_s * each.broker_us * each.copies / 1e6 / each.load,
        broker_mb_s=written_b * each.copies / 1e6,
    )


def partitions(workers: int) -> int:
    """Return how many partitions: four for each worker, as a power of two, so that shares stay even while workers are added."""
    least, most = _PARTITIONS
    return max(least, min(max(most, 1 << math.ceil(math.log2(workers))), 1 << math.ceil(math.log2(4 * workers))))


def speedup(workers: int, cores: int, *, worker_us: float, broker_us: float) -> float:
    """Return by how much so many workers are faster than one, where brokers share the machine's cores with them.

    A worker uses one core at most; workers and brokers together no more than there are.
    """
    one = min(1 / worker_us, cores / (worker_us + broker_us))
    return min(workers / worker_us, cores / (worker_us + broker_us)) / one
