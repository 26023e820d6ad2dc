"""Measure this checkout and the earlier commit over the same company, in interleaved rounds; then sizes, and a large tenant."""

from collections.abc import Callable

from bench.access import large_report, size_report
from bench.access.company import Company, company_of
from bench.access.facts import company_facts
from bench.access.part import Part
from bench.access.trial import COMPLETE, FIRST, PHASES, Phase, Trial, trial
from bench.cluster import Cluster
from bench.earlier import COMMIT, earlier_product
from bench.options import Options
from bench.product import PROGRAM
from bench.report import Ratio, Report, Spread, Table, TableRow, ratio
from bench.rounds import measurements

OURS, BEFORE = "ours", "before"
SIZES, LARGE = "sizes", "large_tenant"
_STAFF = 50_000
_QUICK_STAFF = 200
_ROUNDS = 3
_COLUMNS = ("facts", "facts/s", "CPU µs/fact", "memory grown MiB")

Trials = dict[str, dict[int, Trial]]


def run(options: Options, cluster: Cluster) -> Report:
    """Let each release write its facts once, then measure it in every round."""
    chosen = options.chosen((OURS, BEFORE, SIZES, LARGE))
    programs = _programs(chosen)
    company = company_of(options.events or (_QUICK_STAFF if options.quick else _STAFF))
    facts = {name: company_facts(cluster, company, name, program) for name, program in programs.items()}
    trials: Trials = {name: {} for name in programs}
    for number, name in measurements(tuple(programs), options.round_count(_ROUNDS)):
        trials[name][number] = trial(cluster, company, facts[name], trial_name=f"access-{name}-{number}", program=programs[name])
    sizes = size_report.part(cluster, quick=options.quick) if SIZES in chosen else Part()
    large = large_report.part(cluster, quick=options.quick) if LARGE in chosen else Part()
    return Report(
        name="access",
        about=f"a directory of {company.staff:,} staff, {company.teammates:,} teammates, one tenant, so one partition",
        tables=(*_tables(company, trials), *sizes.tables, *large.tables),
        ratios={**_ratios(trials), **sizes.ratios, **large.ratios},
        checks={check: holds for name, each in trials.items() for check, holds in _checks(company, name, each).items()},
        notes=_notes(company, chosen, trials),
    )


def _programs(chosen: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    programs: dict[str, tuple[str, ...]] = {OURS: PROGRAM} if OURS in chosen else {}
    if BEFORE in chosen and (earlier := earlier_product()) is not None:
        programs[BEFORE] = tuple(earlier.program)
    return programs


def _tables(company: Company, trials: Trials) -> tuple[Table, ...]:
    return (*(_phase_table(phase, trials) for phase in PHASES), _memory_table(company, trials)) if trials else ()


def _phase_table(phase: str, trials: Trials) -> Table:
    def row(name: str) -> TableRow:
        results = [each.phases[phase] for each in trials[name].values()]
        figures = ([each.facts for each in results], [each.rate for each in results], [each.cpu_us for each in results])
        return TableRow(name, tuple(Spread.of(each) for each in (*figures, [each.grown_mib for each in results])))

    return Table(phase.replace("_", " "), _COLUMNS, tuple(row(name) for name in trials))


def _memory_table(company: Company, trials: Trials) -> Table:
    rows = tuple(
        TableRow(
            name,
            (
                Spread.of([each.phases[FIRST].grown_mib * 1024 / company.staff for each in rounds.values()]),
                Spread.of([each.peak_mib for each in rounds.values()]),
            ),
        )
        for name, rounds in trials.items()
    )
    return Table("memory", ("kB a person", "peak MiB"), rows)


def _ratios(trials: Trials) -> dict[str, Ratio]:
    """Return this checkout divided by the earlier commit for each phase: in facts a second, and in facts a CPU second."""
    ours, before = (trials.get(name, {}) for name in (OURS, BEFORE))
    ratios: dict[str, Ratio | None] = {}
    for phase in PHASES:
        ratios[f"{phase}_{BEFORE}"] = ratio(_of(ours, phase, _rate), _of(before, phase, _rate))
        ratios[f"{phase}_cpu_{BEFORE}"] = ratio(_of(ours, phase, _per_cpu), _of(before, phase, _per_cpu))
    return {name: each for name, each in ratios.items() if each is not None}


def _of(trials: dict[int, Trial], phase: str, figure: Callable[[Phase], float]) -> dict[int, float]:
    return {number: figure(each.phases[phase]) for number, each in trials.items()}


def _rate(phase: Phase) -> float:
    return phase.rate


def _per_cpu(phase: Phase) -> float:
    return 1e6 / phase.cpu_us if phase.cpu_us else 0.0


def _checks(company: Company, name: str, trials: dict[int, Trial]) -> dict[str, bool]:
    expected = {"IC-1": company.unknown, "IC-2": company.leavers_with_accounts}
    return {
        f"{name}: all staff were facts in both imports": all(
            each.phases[phase].facts >= company.staff for each in trials.values() for phase in (FIRST, COMPLETE)
        ),
        f"{name}: a finding for each teammate nobody knows, and one for each leaver with an account": all(
            {check: each.opened.get(check, 0) for check in expected} == expected for each in trials.values()
        ),
    }


def _notes(company: Company, chosen: tuple[str, ...], trials: Trials) -> tuple[str, ...]:
    notes = [
        "facts/s is from the broker's append of a phase's first fact to that of the last row the access agent changed",
        "*_cpu_before compares facts a CPU second of the worker: it holds also on a machine that does other things",
        f"teammates: {company.teammates:,} posts through the admins agent, once a policy is applied",
        f"complete import: {company.leavers:,} have left, {company.leavers_with_accounts:,} of them with an account",
    ]
    if missing := sorted(set(chosen) - {SIZES, LARGE} - set(trials)):
        notes.append(f"left out: {', '.join(missing)} (it needs the history of commit {COMMIT} and its packages)")
    return tuple(notes)
