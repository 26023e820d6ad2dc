"""What a fact costs in directories of several sizes, beside the raw engine: an agent that counts, on the same engine and machine."""

import sys

import msgspec

from bench.access.company import company_of
from bench.access.facts import company_facts
from bench.access.trial import Trial, trial
from bench.cluster import Cluster
from bench.engine import trial as engine
from bench.engine.events import publish
from bench.engine.rivals import RIVALS
from bench.product import PROGRAM

_SIZES = (1_000, 10_000, 50_000)
_QUICK_SIZES = (100, 200)
_EVENTS = 100_000
_LIMIT_S = 180
_RAW = "ours"  # among the rivals of the engine's benchmark


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """A trial of each size, by its number of staff, and the raw engine's events a second on one partition."""

    trials: dict[int, Trial]
    raw_rate: float


def measure(cluster: Cluster, *, quick: bool) -> Sizes:
    """Measure every size once, and the raw engine on one partition, as a tenant has one."""
    trials = {}
    for staff in _QUICK_SIZES if quick else _SIZES:
        print(f"{staff} staff", file=sys.stderr, flush=True)
        company = company_of(staff)
        facts = company_facts(cluster, company, f"size-{staff}", PROGRAM)
        trials[staff] = trial(cluster, company, facts, trial_name=f"access-size-{staff}", program=PROGRAM)
    count = 2_000 if quick else _EVENTS
    topic = cluster.prefixed("access-raw")
    cluster.create({topic: {}}, 1)
    source = engine.InputTopic(topic, 1, count, publish(cluster.bootstrap, topic, count, 1))
    raw = engine.trial(cluster, source, _RAW, RIVALS[_RAW], number=0, limit_s=_LIMIT_S)
    return Sizes(trials=trials, raw_rate=raw.outputs.rate)
