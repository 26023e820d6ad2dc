"""Replay a history over ten events a key: with the engine's own work beside the loop by hand, and with the product's worker."""

from bench.cluster import Cluster
from bench.engine.events import publish
from bench.engine.rivals import RIVALS
from bench.engine.trial import Source, Trial, trial
from bench.options import Options
from bench.replay.worker import Replayed, replayed
from bench.report import Cell, Ratio, Report, Row, Spread, Table, ratio
from bench.rounds import turns

_ENGINES = ("ours", "ours_on_disk", "raw_aiokafka")
_WORKER = "worker"
_EVENTS = 1_000_000
_EVENTS_OF_WORKER = 200_000  # it does far more for each: a million would take a quarter of an hour
_EVENTS_A_KEY = 10
_PARTITIONS = 4
_LIMIT_S = 1_800
_COLUMNS = ("events", "events/s", "start to caught up s", "peak memory MiB", "CPU µs/event", "equals the input", "what")

Found = dict[str, dict[int, Trial | Replayed]]


def run(options: Options, cluster: Cluster) -> Report:
    """Publish each history once for all rounds of the engines, and anew for each round of the worker."""
    names = options.chosen((*_ENGINES, _WORKER))
    source = _source(cluster, _count(options, _EVENTS)) if set(names) & set(_ENGINES) else None
    found: Found = {name: {} for name in names}
    for number, name in turns(names, options.count_of_rounds(1)):
        if name == _WORKER or source is None:
            count = _count(options, _EVENTS_OF_WORKER)
            found[name][number] = replayed(cluster, count, count // _EVENTS_A_KEY, name=f"worker-{number}", limit_s=_LIMIT_S)
        else:
            found[name][number] = trial(cluster, source, name, RIVALS[name], number=number, limit_s=_LIMIT_S)
    return Report(
        name="replay",
        about=f"{_EVENTS_A_KEY} events a key, {_PARTITIONS} partitions, one worker that starts from nothing",
        tables=(Table("replays", _COLUMNS, tuple(_row(name, list(each.values())) for name, each in found.items())),),
        ratios=_ratios(found),
        checks=_checks(found),
        notes=(
            "start to caught up: from the start of the process to the time of its last output, the interpreter's start and joining included",
            f"{_WORKER}: contact webhooks of 1.0 kB through the agents of contacts and of people, with every other agent running",
        ),
    )


def _count(options: Options, usual: int) -> int:
    return options.events or (2_000 if options.quick else usual)


def _source(cluster: Cluster, count: int) -> Source:
    topic = cluster.named("history")
    cluster.create({topic: {}}, _PARTITIONS)
    return Source(topic, _PARTITIONS, count, publish(cluster.bootstrap, topic, count, _PARTITIONS, keys=count // _EVENTS_A_KEY))


def _rate(one: Trial | Replayed) -> float:
    return one.outcome.rate if isinstance(one, Trial) else one.persons.rate


def _outputs(one: Trial | Replayed) -> int:
    return one.outcome.outputs if isinstance(one, Trial) else one.persons.records


def _fits(one: Trial | Replayed) -> bool:
    return bool(one.complete and (one.fits if isinstance(one, Trial) else one.persons.fits))


def _row(name: str, found: list[Trial | Replayed]) -> Row:
    cells: tuple[Cell, ...] = (
        Spread.of([_outputs(each) for each in found]),
        Spread.of([_rate(each) for each in found]),
        Spread.of([each.caught_up_s for each in found]),
        Spread.of([each.usage.memory_mib for each in found]),
        Spread.of([each.usage.cpu_s / max(_outputs(each), 1) * 1e6 for each in found]),
        "yes" if all(_fits(each) for each in found) else "no",
        "the product's worker, contacts to people" if name == _WORKER else RIVALS[name].about,
    )
    return Row(name, cells)


def _ratios(found: Found) -> dict[str, Ratio]:
    """Return the engine against the loop by hand, over the whole history."""
    ours, loop = ({number: _rate(each) for number, each in found.get(name, {}).items()} for name in ("ours", "raw_aiokafka"))
    each = ratio(ours, loop, goal=RIVALS["raw_aiokafka"].goal)
    return {} if each is None else {"raw_aiokafka": each}


def _checks(found: Found) -> dict[str, bool]:
    return {
        f"{name}: one output an event, and in the end what the input alone says": all(_fits(each) for each in trials.values())
        for name, trials in found.items()
    }
