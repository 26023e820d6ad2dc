"""Measure every system on every workload in interleaved rounds, and compare them round by round."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.cluster import Cluster
from bench.earlier import earlier_product
from bench.options import Options
from bench.product import Deployment, write_config
from bench.profiles.capture import capture
from bench.profiles.large_person import LARGE, large_person
from bench.profiles.memory import PEAK, SIZES, held, peak, peak_ratio, peak_table, size_table
from bench.profiles.stages import stages
from bench.profiles.steps import STEPS, steps_table
from bench.profiles.systems import BEFORE, GOVERNED, NO_WORK, OURS, SYSTEMS, TWO_WORKERS, UNGOVERNED
from bench.profiles.trial import KINDS, PARTITIONS, Trial, trial
from bench.profiles.workloads import WORKLOADS, Routed, routed
from bench.report import Cell, Ratio, Report, Spread, Table, TableRow, ratio
from bench.rounds import measurements
from schemas.tenancy import Tenancy
from streams.settings import load

_ROUNDS = 3
_QUICK_EVENTS = 600
_CPU_GOAL_US = 250
STAGES = "stages"
_COLUMNS = ("events/s", "CPU µs/event", "memory kB/contact", "peak MiB", "right", "what")
_BYTE_COLUMNS = (*(f"{kind}, disk" for kind in KINDS), *(f"{kind}, before" for kind in KINDS))

Trials = dict[str, dict[int, Trial]]
"""By workload and system joined with `/`, then round."""


def run(options: Options, cluster: Cluster) -> Report:
    """Make the workloads once, then measure the systems, our stages, and our memory."""
    chosen, wanted = _chosen(options)
    names, of = _present(name for name in chosen if name in SYSTEMS), tenancy()
    workloads = {
        name: routed(kind.make(options.events or (_QUICK_EVENTS if options.quick else kind.events)), of)
        for name, kind in WORKLOADS.items()
        if name in wanted and (names or {STAGES, STEPS} & set(chosen))
    }
    trials = _measured(options, cluster, names, workloads)
    sampled = tuple(stages(cluster, name, workload) for name, workload in workloads.items() if STAGES in chosen)
    replayed = peak(cluster, of, quick=options.quick) if PEAK in chosen else None
    large = large_person(quick=options.quick) if LARGE in chosen else None
    sizes = {name: held(cluster, of, name, options.events, quick=options.quick) for name in chosen if name in SIZES}
    return Report(
        name="profiles",
        about=f"contact webhooks of 1.0 kB through the agents of contacts and people, {PARTITIONS} partitions, one worker",
        tables=(
            *(table for workload in workloads if names for table in _tables(workload, names, workloads[workload], trials)),
            *sampled,
            *((steps_table(of, workloads, PARTITIONS, quick=options.quick),) if STEPS in chosen else ()),
            *((peak_table(replayed),) if replayed else ()),
            *((size_table(sizes),) if sizes else ()),
            *((large[0],) if large else ()),
        ),
        ratios={key: each for workload in workloads for key, each in _ratios(workload, names, trials).items()}
        | ({"peak_mib": peak_ratio(replayed)} if replayed else {})
        | ({LARGE: large[1]} if large else {}),
        checks=_checks(trials)
        | ({PEAK: replayed.complete and replayed.fits} if replayed else {})
        | {f"{name}: one change a contact": each.is_right for name, each in sizes.items()},
        notes=_notes(chosen, names),
    )


def _chosen(options: Options) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what to measure, and on which workloads: what --only names of each, else all but the million contacts."""
    usual = (*SYSTEMS, STAGES, STEPS, PEAK, LARGE)
    chosen = options.chosen((*usual, *SIZES, *WORKLOADS)) if options.only else ()
    return tuple(name for name in chosen if name not in WORKLOADS) or usual, tuple(
        name for name in chosen if name in WORKLOADS
    ) or tuple(WORKLOADS)


def _measured(options: Options, cluster: Cluster, names: tuple[str, ...], workloads: Mapping[str, Routed]) -> Trials:
    trials: Trials = {f"{workload}/{name}": {} for workload in workloads for name in names}
    with _prepared(cluster, workloads, NO_WORK in names) as prepared_for:
        for number, each in measurements(tuple(trials), options.round_count(_ROUNDS)):
            workload, _, name = each.partition("/")
            trials[each][number] = trial(
                cluster, name, workloads[workload], trial_name=f"{workload}-{name}-{number}", prepared=prepared_for(workload)
            )
    return trials


def _present(chosen: Iterable[str]) -> tuple[str, ...]:
    """Leave out what cannot run here."""
    return tuple(name for name in chosen if SYSTEMS[name].installed and _is_had(SYSTEMS[name].commit))


def _is_had(commit: str | None) -> bool:
    return commit is None or earlier_product(commit) is not None


def tenancy() -> Tenancy:
    """Return the tenancy of every trial's configuration."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        return load(str(write_config(Deployment(0, "127.0.0.1:9092", "", Path(folder))))).tenancy


@contextmanager
def _prepared(cluster: Cluster, workloads: Mapping[str, Routed], needed: bool) -> Iterator[Callable[[str], Path | None]]:
    """Yield where the records are that ours wrote for each workload."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        if needed:
            for name, workload in workloads.items():
                capture(cluster, workload, Path(folder) / name)
        yield lambda name: Path(folder) / name if needed else None


def _tables(workload: str, names: Iterable[str], work: Routed, trials: Trials) -> Iterator[Table]:
    by_system = {name: list(trials[f"{workload}/{name}"].values()) for name in names}
    title = f"{workload}: {work.posts:,} posts about {work.contacts:,} contacts, {WORKLOADS[workload].about}"
    yield Table(title, _COLUMNS, tuple(_row(name, each) for name, each in by_system.items()))
    bytes_title = f"{workload}: bytes written for an event, on the broker's disk and before compression"
    yield Table(bytes_title, _BYTE_COLUMNS, tuple(_byte_row(name, each) for name, each in by_system.items()))


def _row(name: str, trials: list[Trial]) -> TableRow:
    cells: tuple[Cell, ...] = (
        Spread.of([each.rate for each in trials]),
        Spread.of([each.cpu_us for each in trials]),
        Spread.of([each.grown_mib * 1024 / each.contacts for each in trials]),
        Spread.of([each.peak_mib for each in trials]),
        "yes" if all(each.complete and each.fits for each in trials) else "no",
        SYSTEMS[name].about,
    )
    return TableRow(name, cells)


def _byte_row(name: str, trials: list[Trial]) -> TableRow:
    on_disk = tuple(Spread.of([each.written[kind] for each in trials]) for kind in KINDS)
    return TableRow(name, (*on_disk, *(Spread.of([each.content[kind] for each in trials]) for kind in KINDS)))


def _ratios(workload: str, names: Iterable[str], trials: Trials) -> dict[str, Ratio]:
    """Return ours divided by each system, and our CPU time for an event. The goals are for one worker; two have ratios without.

    With policies it has the goals of the engine without work, and of the commit without identity.
    """
    ours, two, governed = (_rates(trials.get(f"{workload}/{each}", {})) for each in (OURS, TWO_WORKERS, GOVERNED))
    goals = {name: WORKLOADS[workload].goal_before if name == BEFORE else SYSTEMS[name].goal for name in names}
    ratios = {
        f"{workload}_{name}": ratio(ours, _rates(trials[f"{workload}/{name}"]), goal=goal)
        for name, goal in goals.items()
        if name not in {OURS, TWO_WORKERS, GOVERNED}
    }
    ratios |= {
        f"{workload}_with_policies_{name}": ratio(
            governed, _rates(trials[f"{workload}/{name}"]), goal=None if name in {OURS, BEFORE} else SYSTEMS[name].goal
        )
        for name in names
        if name in {OURS, NO_WORK, BEFORE, UNGOVERNED}
    }
    ratios |= {
        f"{workload}_two_workers_{name}": ratio(two, _rates(trials[f"{workload}/{name}"]))
        for name in names
        if name not in {TWO_WORKERS, GOVERNED}
    }
    cpu = [each.cpu_us for each in trials.get(f"{workload}/{OURS}", {}).values()]
    if cpu:
        ratios[f"{workload}_cpu_us"] = Ratio(Spread.of(cpu), _CPU_GOAL_US, smaller_is_better=True)
    return {name: each for name, each in ratios.items() if each is not None}


def _rates(trials: Mapping[int, Trial]) -> dict[int, float]:
    return {number: each.rate for number, each in trials.items()}


def _checks(trials: Trials) -> dict[str, bool]:
    return {
        f"{name}: one change an event, and in the end the persons that follow from the posts": all(
            each.complete and each.fits for each in rounds.values()
        )
        for name, rounds in trials.items()
    }


def _notes(chosen: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    notes = [
        "events/s is from the broker's append of the first post to its append of the last change; warm-up and start are in no figure",
        "memory is what the process grew by; `*_cpu_us` and `peak_mib` among the ratios are those figures themselves",
    ]
    if missing := sorted(set(chosen) & set(SYSTEMS) - set(names)):
        named = [f"{name} (commit {commit})" if (commit := SYSTEMS[name].commit) else name for name in missing]
        notes.append(f"left out: {', '.join(named)}; a commit needs the history and its packages")
    return tuple(notes)
