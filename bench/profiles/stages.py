"""The CPU time of an event by agent and by package, from one run with a sampling profiler. It is in no ratio."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from bench.child import Child
from bench.cluster import Cluster
from bench.profiles.sampled import OTHER, OUTSIDE, Samples
from bench.profiles.systems import OURS
from bench.profiles.trial import Start, measured
from bench.profiles.workloads import Routed, about_contacts
from bench.report import Spread, Table, TableRow

_SHOWN = 16  # packages; the rest is one row
_RESULT = "samples.json"


def stages(cluster: Cluster, name: str, workload: Routed) -> Table:
    """Run a workload once and return where the time went."""
    warm_up = str(about_contacts(workload.warm_up))

    def child_of(start: Start) -> Child:
        return Child.python("-m", "bench.profiles.sampled", str(start.config), str(start.deployment.folder / _RESULT), warm_up)

    with measured(cluster, OURS, workload, trial_name=f"stages-{name}", child_of=child_of) as (deployment, _, child):
        child.stop()
        samples = msgspec.json.decode((deployment.folder / _RESULT).read_bytes(), type=Samples)
    return stage_table(f"{name}: our CPU µs an event by package and agent, sampled", samples)


def stage_table(title: str, samples: Samples) -> Table:
    """Return the table: a row a package, the dearest first, and a column an agent."""
    cells = _microseconds(samples)
    agents = (*sorted({agent for agent, _ in cells} - {OUTSIDE}), OUTSIDE)
    packages = {package for _, package in cells}
    dearest = sorted(packages - {OTHER}, key=lambda package: -_sum(cells, agents, [package]))[:_SHOWN]
    groups = {"all": packages, **{package: {package} for package in dearest}, "the rest": packages - set(dearest)}
    rows = tuple(
        TableRow(label, tuple(Spread.of([_sum(cells, each, group)]) for each in (agents, *((agent,) for agent in agents))))
        for label, group in groups.items()
    )
    return Table(title, ("all", *agents), rows)


def _microseconds(samples: Samples) -> Mapping[tuple[str, str], float]:
    """Return the time of each cell: its share of all samples, of the CPU time of a record."""
    factor = samples.cpu_s / max(1, sum(samples.counts.values())) / max(1, samples.records) * 1e6
    cells: dict[tuple[str, str], float] = defaultdict(float)
    for name, count in samples.counts.items():
        agent, _, package = name.partition("/")
        cells[agent, package] += count * factor
    return cells


def _sum(cells: Mapping[tuple[str, str], float], agents: Iterable[str], packages: Iterable[str]) -> float:
    return sum(cells.get((agent, package), 0.0) for agent in agents for package in packages)
