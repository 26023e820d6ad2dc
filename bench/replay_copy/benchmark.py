"""Copy the same range with `replay --to` and with the bare loop, in interleaved rounds, and compare every record."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from bench.child import Child, Usage
from bench.cluster import Cluster, read_all
from bench.options import Options
from bench.product import Deployment, command, create_topics, write_config
from bench.replay import contacts
from bench.replay_copy.bare import CopyJob
from bench.report import Report, Spread, Table, TableRow, ratio
from bench.rounds import measurements
from streams.settings import load

_SYSTEMS = ("ours", "bare")
_EVENTS = 200_000
_EVENTS_A_KEY = 10
_PARTITIONS = 4
_ROUNDS = 3
_GOAL = 0.5
_LIMIT_S = 1_800.0
_SOURCE = "intercom.contacts"
_COLUMNS = ("records/s", "CPU µs/record", "peak memory MiB")


class CopyTrial(msgspec.Struct, frozen=True):
    """Records a second from the broker's append of the first to that of the last, what the process used, and whether all are the source's."""

    rate: float
    usage: Usage
    same: bool


def run(options: Options, cluster: Cluster) -> Report:
    """Write the range once for all rounds."""
    count = options.events or (2_000 if options.quick else _EVENTS)
    names = options.chosen(_SYSTEMS)
    trials: dict[str, dict[int, CopyTrial]] = {name: {} for name in names}
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        deployment = Deployment(0, cluster.bootstrap, cluster.prefix, Path(folder))
        config = write_config(deployment, partitions=_PARTITIONS)
        create_topics(config)
        contacts.publish(load(str(config)), count, count // _EVENTS_A_KEY)
        written = _digests(cluster, cluster.prefixed(_SOURCE))
        for number, name in measurements(names, options.round_count(_ROUNDS)):
            trials[name][number] = _trial(cluster, config, name, number, written)
    rates = {name: {number: each.rate for number, each in rounds.items()} for name, rounds in trials.items()}
    found = ratio(rates.get("ours", {}), rates.get("bare", {}), goal=_GOAL)
    return Report(
        name="replay_copy",
        about=f"{count:,} contact webhooks of 1.0 kB copied to another topic, {_PARTITIONS} partitions",
        tables=(Table("copies", _COLUMNS, tuple(_row(name, list(rounds.values()), count) for name, rounds in trials.items())),),
        ratios={} if found is None else {"bare": found},
        checks={
            f"{name}: every record as it was, in its partition's order": all(each.same for each in rounds.values())
            for name, rounds in trials.items()
        },
        notes=(
            "the rate is from the broker's append of the first record to that of the last, on its clock",
            "ours: `replay --to`, in transactions that say where it stands; bare: aiokafka's consumer and producer, acks=all, no transactions",
        ),
    )


def _trial(cluster: Cluster, config: Path, name: str, number: int, written: dict[int, list[bytes]]) -> CopyTrial:
    target = cluster.prefixed(f"copy.{name}.{number}")
    cluster.create({target: {"message.timestamp.type": "LogAppendTime"}}, _PARTITIONS)
    if name == "ours":
        child = command(config, "replay", _SOURCE, "--to", target)
    else:
        job = CopyJob(cluster.bootstrap, cluster.prefixed(_SOURCE), target, _PARTITIONS, sum(map(len, written.values())))
        child = Child.python("-m", "bench.replay_copy.bare", msgspec.json.encode(job).decode())
    usage = child.wait_for_usage(_LIMIT_S)
    times = [message.timestamp()[1] for message in read_all(cluster.bootstrap, target, cluster.prefixed("times"))]
    seconds = (max(times) - min(times)) / 1000 if times else 0.0
    copied = _digests(cluster, target)
    cluster.delete([target])
    return CopyTrial(len(times) / seconds if seconds else 0.0, usage, copied == written)


def _digests(cluster: Cluster, topic: str) -> dict[int, list[bytes]]:
    """Return a hash of each record's key, value and headers, by partition and in order."""
    found: dict[int, list[bytes]] = {}
    for message in read_all(cluster.bootstrap, topic, cluster.prefixed("digests")):
        found.setdefault(message.partition(), []).append(_digest(message))
    return found


def _digest(message: Any) -> bytes:
    content = msgspec.msgpack.encode([message.key(), message.value(), message.headers()])
    return hashlib.blake2b(content, digest_size=16).digest()


def _row(name: str, trials: list[CopyTrial], count: int) -> TableRow:
    return TableRow(
        name,
        (
            Spread.of([each.rate for each in trials]),
            Spread.of([each.usage.cpu_s / count * 1e6 for each in trials]),
            Spread.of([each.usage.memory_mib for each in trials]),
        ),
    )
