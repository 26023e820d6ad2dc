"""Replay a history of ten events per key, with the engine, with the hand-written loop, and with the product's worker."""

from bench.cluster import Cluster
from bench.engine.events import publish
from bench.engine.rivals import RIVALS
from bench.engine.trial import InputTopic, Trial, trial
from bench.options import Options
from bench.replay.worker import ReplayResult, replay
from bench.report import Cell, Ratio, Report, Spread, Table, TableRow, ratio
from bench.rounds import measurements

_ENGINES = ("ours", "ours_on_disk", "raw_aiokafka")
_WORKER = "worker"
_EVENTS = 1_000_000
_EVENTS_OF_WORKER = 200_000  # it does far more per event: a million would take a quarter of an hour
_EVENTS_A_KEY = 10
_PARTITIONS = 4
_LIMIT_S = 1_800
_COLUMNS = ("events", "events/s", "start to caught up s", "peak memory MiB", "CPU µs/event", "equals the input", "what")

Trials = dict[str, dict[int, Trial | ReplayResult]]


def run(options: Options, cluster: Cluster) -> Report:
    """Publish the engines' history once for all rounds, and the worker's history for each round."""
    names = options.chosen((*_ENGINES, _WORKER))
    source = _source(cluster, _count(options, _EVENTS)) if set(names) & set(_ENGINES) else None
    trials: Trials = {name: {} for name in names}
    for number, name in measurements(names, options.round_count(1)):
        if name == _WORKER or source is None:
            count = _count(options, _EVENTS_OF_WORKER)
            trials[name][number] = replay(cluster, count, count // _EVENTS_A_KEY, name=f"worker-{number}", limit_s=_LIMIT_S)
        else:
            trials[name][number] = trial(cluster, source, name, RIVALS[name], number=number, limit_s=_LIMIT_S)
    return Report(
        name="replay",
        about=f"{_EVENTS_A_KEY} events a key, {_PARTITIONS} partitions, one worker that starts from nothing",
        tables=(Table("replays", _COLUMNS, tuple(_row(name, list(each.values())) for name, each in trials.items())),),
        ratios=_ratios(trials),
        checks=_checks(trials),
        notes=(
            "start to caught up: from the start of the process to the time of its last output, the interpreter's start and joining included",
            f"{_WORKER}: contact webhooks of 1.0 kB through the agents of contacts and of people, with every other agent running",
        ),
    )


def _count(options: Options, usual: int) -> int:
    return options.events or (2_000 if options.quick else usual)


def _source(cluster: Cluster, count: int) -> InputTopic:
    topic = cluster.prefixed("history")
    cluster.create({topic: {}}, _PARTITIONS)
    return InputTopic(
        topic, _PARTITIONS, count, publish(cluster.bootstrap, topic, count, _PARTITIONS, keys=count // _EVENTS_A_KEY)
    )


def _rate(trial: Trial | ReplayResult) -> float:
    return trial.outputs.rate if isinstance(trial, Trial) else trial.persons.rate


def _outputs(trial: Trial | ReplayResult) -> int:
    return trial.outputs.count if isinstance(trial, Trial) else trial.persons.records


def _fits(trial: Trial | ReplayResult) -> bool:
    return bool(trial.complete and (trial.fits if isinstance(trial, Trial) else trial.persons.fits))


def _row(name: str, trials: list[Trial | ReplayResult]) -> TableRow:
    cells: tuple[Cell, ...] = (
        Spread.of([_outputs(each) for each in trials]),
        Spread.of([_rate(each) for each in trials]),
        Spread.of([each.caught_up_s for each in trials]),
        Spread.of([each.usage.memory_mib for each in trials]),
        Spread.of([each.usage.cpu_s / max(_outputs(each), 1) * 1e6 for each in trials]),
        "yes" if all(_fits(each) for each in trials) else "no",
        "the product's worker, contacts to people" if name == _WORKER else RIVALS[name].about,
    )
    return TableRow(name, cells)


def _ratios(trials: Trials) -> dict[str, Ratio]:
    """Return the engine divided by the hand-written loop, over the whole history."""
    ours, loop = ({number: _rate(each) for number, each in trials.get(name, {}).items()} for name in ("ours", "raw_aiokafka"))
    each = ratio(ours, loop, goal=RIVALS["raw_aiokafka"].goal)
    return {} if each is None else {"raw_aiokafka": each}


def _checks(trials: Trials) -> dict[str, bool]:
    return {
        f"{name}: one output an event, and in the end what the input alone says": all(_fits(each) for each in rounds.values())
        for name, rounds in trials.items()
    }
