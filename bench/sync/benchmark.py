"""Compare our reading of contacts with a bare loop over the same pages, and its memory over the size of the workspace."""

from bench.cluster import Cluster
from bench.options import Options
from bench.report import Report, Spread, Table, TableRow, ratio
from bench.rounds import measurements
from bench.sync.trial import READERS, Trial, trial

GOAL = 0.8
_CONTACTS, _QUICK_CONTACTS = 100_000, 600
_SIZES = (10_000, 100_000, 1_000_000)
_QUICK_SIZES = (600, 1_200)
_MEMORY = "memory"
_ROUNDS = 3
_LIMIT_S = 3_600
_COLUMNS = ("read", "contacts/s", "CPU µs/contact", "simulator's CPU µs/contact", "peak memory MiB", "in Kafka")


def run(options: Options, cluster: Cluster) -> Report:
    """Measure both readers in each round, then ours over workspaces of several sizes."""
    contacts = options.events or (_QUICK_CONTACTS if options.quick else _CONTACTS)
    chosen = options.chosen((*READERS, _MEMORY))
    trials: dict[str, dict[int, Trial]] = {name: {} for name in chosen if name in READERS}
    for number, name in measurements(tuple(trials), options.round_count(_ROUNDS)):
        trials[name][number] = trial(cluster, name, contacts, name=f"sync-{name}-{number}", limit_s=_LIMIT_S)
    sizes = (_QUICK_SIZES if options.quick else _SIZES) if _MEMORY in chosen else ()
    memory = {size: trial(cluster, "ours", size, name=f"sync-memory-{size}", limit_s=_LIMIT_S) for size in sizes}
    rates = {name: {number: each.rate for number, each in rounds.items()} for name, rounds in trials.items()}
    compared = ratio(rates.get("ours", {}), rates.get("bare", {}), goal=GOAL)
    rows = {f"{name} ": list(rounds.values()) for name, rounds in trials.items()} | {
        f"ours, {size:,}": [each] for size, each in memory.items()
    }
    return Report(
        name="sync",
        about=f"{contacts:,} contacts of a simulated workspace, 150 a page, into Kafka",
        tables=(Table("readings", _COLUMNS, tuple(_row(name.strip(), each) for name, each in rows.items())),),
        ratios={} if compared is None else {"bare": compared},
        checks=_checks(trials, memory),
        notes=(
            "bare follows the cursor with httpx, decodes each page and keeps nothing; ours keeps each page and what remains in one transaction",
            "the simulator is a process of its own on the same cores, and makes each page when it is asked for it",
        ),
    )


def _row(name: str, trials: list[Trial]) -> TableRow:
    readings = [each.reading for each in trials]
    return TableRow(name, (
        Spread.of([each.contacts for each in readings]),
        Spread.of([each.rate for each in trials]),
        Spread.of([each.reading.cpu_s / each.contacts * 1e6 for each in trials]),
        Spread.of([each.simulator_cpu_s / each.contacts * 1e6 for each in trials]),
        Spread.of([each.memory_mib for each in readings]),
        "" if name == "bare" else f"{sum(each.stored for each in trials):,}",
    ))  # fmt: skip


def _checks(trials: dict[str, dict[int, Trial]], memory: dict[int, Trial]) -> dict[str, bool]:
    ours = [*trials.get("ours", {}).values(), *memory.values()]
    return {
        "every contact of the workspace is in Kafka": all(each.stored == each.contacts for each in ours),
        "each reader has read at least as many as there are": all(
            each.reading.contacts >= each.contacts for rounds in trials.values() for each in rounds.values()
        ),
    }
