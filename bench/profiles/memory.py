"""The memory of the worker: its peak during a replay, and what a contact takes when there are a million of them."""

import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import MappingProxyType

import msgspec

from bench.child import running
from bench.cluster import Cluster
from bench.log_sizes import topic_bytes
from bench.product import Deployment, command, create_topics, write_config
from bench.profiles.posts import ContactHistory
from bench.profiles.systems import OURS
from bench.profiles.systems.job import CONTACTS_AGENT, PEOPLE_AGENT
from bench.profiles.trial import CHANGES, PARTITIONS, Trial, records, trial
from bench.profiles.workloads import EVENTS_A_CONTACT, publish, replay, routed, stream
from bench.report import Ratio, Spread, Table, TableRow
from bench.watching import wait_until_complete
from connectors.kafka.settings import KafkaSettings
from connectors.local.ports import free
from schemas.tenancy import Tenancy

PEAK = "peak"
SIZES = MappingProxyType({"million_in_memory": (), "million_on_disk": (CONTACTS_AGENT, PEOPLE_AGENT)})
"""The long parts, each with the agents whose tables are on disk. They run only where --only names them."""
_PEAK_EVENTS = 200_000
_PEAK_GOAL_MIB = 250
_CONTACTS = 1_000_000
_QUICK = 400
_SEED = 17
_LIMIT_S = 3_600
_MIB = 2**20
_COLUMNS = (
    "contacts", "events/s", "start MiB", "end MiB", "peak MiB", "memory B/contact", "disk B/contact", "changelogs B/contact", "right",
)  # fmt: skip


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker holds after a first sync: MiB before, after and at most, bytes of its tables on disk and of its changelogs."""

    contacts: int
    seconds: float
    start_mib: float
    end_mib: float
    peak_mib: float
    disk: int
    changelogs: int
    changes: int

    @property
    def is_right(self) -> bool:
        """Return whether every contact gave one change."""
        return self.changes == self.contacts


def peak(cluster: Cluster, tenancy: Tenancy, *, quick: bool) -> Trial:
    """Replay a history of ten events a contact."""
    work = routed(replay(_QUICK if quick else _PEAK_EVENTS), tenancy)
    return trial(cluster, OURS, work, trial_name="peak")


def peak_ratio(result: Trial) -> Ratio:
    """Return the peak as a figure with its goal."""
    return Ratio(Spread.of([result.peak_mib]), _PEAK_GOAL_MIB, smaller_is_better=True)


def peak_table(result: Trial) -> Table:
    """Return the table of that replay."""
    title = f"a replay of {EVENTS_A_CONTACT} events for each of {result.contacts:,} contacts"
    cells = tuple(Spread.of([each]) for each in (result.rate, result.cpu_us, result.grown_mib, result.peak_mib))
    return Table(title, ("events/s", "CPU µs/event", "memory grown MiB", "peak MiB"), (TableRow(OURS, cells),))


def held(cluster: Cluster, tenancy: Tenancy, name: str, count: int | None, *, quick: bool) -> Held:
    """Write new contacts, each once, while a worker runs, and measure what it holds in the end."""
    contacts = count or (_QUICK if quick else _CONTACTS)
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        deployment = Deployment(free(set()), cluster.bootstrap, cluster.prefixed(f"{name}."), Path(folder))
        config = write_config(deployment, partitions=PARTITIONS, on_disk=SIZES[name])
        create_topics(config)
        kafka = KafkaSettings(bootstrap=cluster.bootstrap, topic_prefix=deployment.prefix, partitions=PARTITIONS)
        changes = kafka.topic(CHANGES)
        with running(command(config, "worker")) as child:
            new = stream(_bodies(contacts), tenancy)
            publish(kafka, islice(new, 1))
            wait_until_complete(child, cluster, changes, 1, _LIMIT_S)
            start_mib, began = child.resident_mib(), time.monotonic()
            publish(kafka, new)
            wait_until_complete(child, cluster, changes, contacts, _LIMIT_S)
            seconds, end_mib, peak_mib = time.monotonic() - began, child.resident_mib(), child.peak_mib()
            child.stop()
        sizes = topic_bytes(cluster.brokers())
        changelogs = sum(size for topic, size in sizes.items() if deployment.prefix in topic and topic.endswith(".changelog"))
        done = sum(1 for _ in records(cluster, changes))
        disk = sum(file.stat().st_size for file in (deployment.folder / "tables").rglob("*") if file.is_file())
    cluster.delete([each for each in cluster.topics() if deployment.prefix in each])
    return Held(
        contacts=contacts, seconds=seconds, start_mib=start_mib, end_mib=end_mib, peak_mib=peak_mib, disk=disk,
        changelogs=changelogs, changes=done,
    )  # fmt: skip


def _bodies(count: int) -> Iterator[bytes]:
    history = ContactHistory(_SEED)
    return (history.saved(number) for number in range(count))


def size_table(results: dict[str, Held]) -> Table:
    """Return the table of what a contact takes."""
    return Table(
        "one event for each new contact: what the worker holds", _COLUMNS, tuple(_row(*each) for each in results.items())
    )


def _row(name: str, result: Held) -> TableRow:
    per_contact = (
        (result.end_mib - result.start_mib) * _MIB / result.contacts,
        result.disk / result.contacts,
        result.changelogs / result.contacts,
    )
    figures = (
        result.contacts, result.contacts / result.seconds, result.start_mib, result.end_mib, result.peak_mib, *per_contact,
    )  # fmt: skip
    return TableRow(name, (*(Spread.of([each]) for each in figures), "yes" if result.is_right else "no"))
