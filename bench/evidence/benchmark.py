"""Read a year of facts: as the access agent does, and beside it to verify its ledger and to make it again; by itself for a report."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from bench.cluster import Cluster
from bench.evidence.reading import AGENT, OF_ONE_LOG, REPLAY_CHECK, REPORT, VERIFY, ReadingTrial
from bench.evidence.staff import StaffTrial
from bench.evidence.year import staff_of
from bench.options import Options
from bench.report import Ratio, Report, Spread, Table, TableRow, ratio
from bench.rounds import measurements

_FACTS: Final = 1_000_000
_QUICK_FACTS: Final = 2_000
_ROUNDS: Final = 1  # of a million; the rates are of CPU time, and each takes minutes
_LARGE: Final = "large_report"
_LEAST_STAFF: Final = 200
_FACTS_PER_STAFF: Final = 20  # of the report on a large company: a million means 50,000 staff
_FLAT: Final = 1.25  # of the memory at half of the year, when everybody is known
_LARGEST_ROWS: Final = 20_000  # bytes of a member of staff, their account and its answers: what each remembers is limited

Trials = dict[str, dict[int, ReadingTrial]]


def run(options: Options, cluster: Cluster) -> Report:
    """Read the year in one process that writes its log, and in another for a report; no Kafka takes part."""
    named = options.chosen((AGENT, REPORT, VERIFY, REPLAY_CHECK, _LARGE))
    facts = options.events or (_QUICK_FACTS if options.quick else _FACTS)
    trials: Trials = {name: {} for name in named if name != _LARGE}
    processes = {"+".join(names): names for names in (_chosen(named, OF_ONE_LOG), _chosen(named, (REPORT,))) if names}
    for number, process in measurements(tuple(processes), options.round_count(_ROUNDS)):
        for trial in _trials(processes[process], facts):
            trials[trial.name][number] = trial
    large = [_on_staff(max(_LEAST_STAFF, facts // _FACTS_PER_STAFF))] if _LARGE in named else []
    return Report(
        name="evidence",
        about=f"a year of {facts:,} facts of one tenant with {staff_of(facts):,} staff, read in memory",
        tables=(*((_table(trials),) if trials else ()), *map(_table_of_large, large)),
        ratios=_ratios(trials),
        checks={
            **_complete(trials, facts),
            **({} if options.quick else _flat(trials)),
            **_bounded(trials),
            **_complete_large(large),
        },
        notes=(
            "rates are of CPU time without making the year; peak memory is that of the whole process, with the report in it",
            "agent, verify and replay_check share a run and its process: each batch that the agent has written is read by both at once",
        ),
    )


def _chosen(named: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in named)


def _trials(names: Sequence[str], facts: int) -> list[ReadingTrial]:
    command = [sys.executable, "-m", "bench.evidence.reading", str(facts), *names]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=list[ReadingTrial])


def _on_staff(staff: int) -> StaffTrial:
    done = subprocess.run([sys.executable, "-m", "bench.evidence.staff", str(staff)], capture_output=True, check=True)
    return msgspec.json.decode(done.stdout, type=StaffTrial)


def _table_of_large(trial: StaffTrial) -> Table:
    columns = (
        "facts",
        "read CPU s",
        "made CPU s",
        *(f"{form} {unit}" for form in trial.form_s for unit in ("CPU s", "MB")),
        "peak MiB",
    )
    forms = [figure for form, cpu in trial.form_s.items() for figure in (cpu, trial.form_mb[form])]
    figures = (trial.facts, trial.read_s, trial.made_s, *forms, trial.peak_mib)
    row = TableRow(f"{trial.accounts:,} accounts", tuple(Spread.of([figure]) for figure in figures))
    return Table("a report on a large company", columns, (row,))


def _complete_large(trials: list[StaffTrial]) -> dict[str, bool]:
    if not trials:
        return {}
    [of] = trials
    complete = of.accounts > of.leavers > 0 and min(of.form_mb.values()) > 0
    return {"the large report has everybody who has access, and who left": complete}


def _table(trials: Trials) -> Table:
    columns = (
        "facts/CPU s",
        "CPU µs/fact",
        "report CPU s",
        "report MB",
        "table MB at half",
        "table MB",
        "peak MiB at half",
        "peak MiB",
        "peak MiB with the report",
    )
    figures: tuple[Callable[[ReadingTrial], float], ...] = (
        _rate,
        lambda trial: 1e6 * trial.cpu_s / trial.facts,
        lambda trial: trial.made_s,
        lambda trial: trial.size / 1e6,
        lambda trial: trial.half_table_mb,
        lambda trial: trial.table_mb,
        lambda trial: trial.half_mib,
        lambda trial: trial.peak_mib,
        lambda trial: trial.made_mib,
    )
    rows = (
        TableRow(name, tuple(Spread.of([figure(each) for each in rounds.values()]) for figure in figures))
        for name, rounds in trials.items()
    )
    return Table("reading a year", columns, tuple(rows))


def _ratios(trials: Trials) -> dict[str, Ratio]:
    agent = _rates(trials, AGENT)
    found = {
        f"{name}_agent": ratio(_rates(trials, name), agent, goal=goal)
        for name, goal in ((REPORT, 0.5), (VERIFY, None), (REPLAY_CHECK, 0.5))
    }
    return {name: each for name, each in found.items() if each is not None}


def _rates(trials: Trials, name: str) -> dict[int, float]:
    return {number: _rate(each) for number, each in trials.get(name, {}).items()}


def _rate(trial: ReadingTrial) -> float:
    return trial.facts / trial.cpu_s


def _complete(trials: Trials, facts: int) -> dict[str, bool]:
    digests = {each.sha256 for rounds in trials.values() for each in rounds.values() if each.sha256}
    checks = {
        f"{name}: every fact was read": all(each.facts == facts for each in rounds.values()) for name, rounds in trials.items()
    }
    return {**checks, "every report of the year has the same bytes": len(digests) <= 1}


def _flat(trials: Trials) -> dict[str, bool]:
    return {
        f"{name}: memory is flat once everybody is known": all(each.peak_mib <= _FLAT * each.half_mib for each in rounds.values())
        for name, rounds in trials.items()
    }


def _bounded(trials: Trials) -> dict[str, bool]:
    agents = trials.get(AGENT, {}).values()
    bounded = all(1e6 * each.table_mb <= _LARGEST_ROWS * staff_of(each.facts) for each in agents)
    return {"the agent's table has a bound for each member of staff": bounded} if agents else {}
