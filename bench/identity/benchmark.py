"""Measure the identity agent over one tenant, with its table in memory and on disk."""

from types import MappingProxyType

from bench.cluster import Cluster
from bench.identity.claims import history
from bench.identity.trial import AGENT, NEW, PHASES, Trial, trial
from bench.options import Options
from bench.report import Report, Spread, Table, TableRow
from bench.rounds import measurements

SYSTEMS = MappingProxyType({"in_memory": (), "on_disk": (AGENT,)})
_RECORDS = 1_000_000
_QUICK_RECORDS = 400
_ROUNDS = 1  # a million records take minutes
_COLUMNS = ("claims", "claims/s", "CPU µs/claim", "memory grown MiB")


def run(options: Options, cluster: Cluster) -> Report:
    """Measure each form of the table."""
    claims = history(options.events or (_QUICK_RECORDS if options.quick else _RECORDS))
    trials: dict[str, list[Trial]] = {name: [] for name in options.chosen(tuple(SYSTEMS))}
    for number, name in measurements(tuple(trials), options.round_count(_ROUNDS)):
        trials[name].append(trial(cluster, claims, name=f"identity-{name}-{number}", on_disk=SYSTEMS[name]))
    return Report(
        name="identity",
        about=f"{claims.records:,} records of one tenant, so one partition",
        tables=(*(_phase_table(phase, trials) for phase in PHASES), _memory_table(claims.records, trials)),
        ratios={},
        checks={
            f"{name}: each record is at the person that follows from the claims": all(each.right for each in rounds)
            for name, rounds in trials.items()
        },
        notes=(
            "claims/s is from the broker's append of a phase's first claim to that of the last row the agent changed",
            "every record has an id of its own; 5 % of the new ones have the address of an earlier one",
            "a tenth of the records then change their address: half to one of their own, half to that of another record",
        ),
    )


def _phase_table(phase: str, trials: dict[str, list[Trial]]) -> Table:
    def row(name: str) -> TableRow:
        results = [each.phases[phase] for each in trials[name]]
        figures = ([each.claims for each in results], [each.rate for each in results], [each.cpu_us for each in results])
        return TableRow(name, tuple(Spread.of(each) for each in (*figures, [each.grown_mib for each in results])))

    return Table(phase.replace("_", " "), _COLUMNS, tuple(row(name) for name in trials))


def _memory_table(records: int, trials: dict[str, list[Trial]]) -> Table:
    rows = tuple(
        TableRow(
            name,
            (
                Spread.of([each.phases[NEW].grown_mib * 2**20 / records for each in rounds]),
                Spread.of([each.peak_mib for each in rounds]),
                Spread.of([each.assignments for each in rounds]),
            ),
        )
        for name, rounds in trials.items()
    )
    return Table("memory", ("B a record", "peak MiB", "assignments sent"), rows)
