"""What an event costs each agent, without Kafka: a partition's share of a workload, in batches as under load. It is in no ratio.

The same steps run several times, and of each the least time counts: other work on the machine only ever adds to it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from bench.profiles.in_process import InProcess
from bench.profiles.workloads import Routed, about_contacts
from bench.report import Spread, Table, TableRow
from connectors.kafka.publisher import OutboundRecord
from schemas.message import RecordValue
from schemas.partition import partition_of
from schemas.tenancy import Tenancy
from streams.engine.garbage_collection import infrequent_gc

STEPS: Final = "steps"
_SHOWN: Final = ("contacts", "people", "identity", "memberships")
_REST: Final = "the rest"
_BATCH: Final = 2_000  # records, as the engine has them under load
_REPETITIONS: Final = 5


def steps_table(tenancy: Tenancy, workloads: Mapping[str, Routed], partitions: int, *, quick: bool) -> Table:
    """Return a row a workload and a column an agent."""
    rows = []
    for name, workload in workloads.items():
        costs = step_costs(tenancy, workload, partitions, 1 if quick else _REPETITIONS)
        shown = {agent: costs.get(agent, 0.0) for agent in _SHOWN} | {
            _REST: sum(cost for agent, cost in costs.items() if agent not in _SHOWN)
        }
        cells = (sum(costs.values()), *shown.values())
        rows.append(TableRow(name, tuple(Spread.of([cell]) for cell in cells)))
    return Table(
        "our agents' steps in one process without Kafka, CPU µs an event, the least of several repetitions",
        ("all", *_SHOWN, _REST),
        tuple(rows),
    )


def step_costs(tenancy: Tenancy, workload: Routed, partitions: int, repetitions: int) -> Mapping[str, float]:
    """Return the microseconds of an event by agent: of each step the least time of all repetitions."""
    warm_up, measured = (
        [record for record in records if partition_of(record.key, partitions) == 0]
        for records in (workload.warm_up, workload.measured)
    )
    runs = [_run(tenancy, warm_up, measured) for _ in range(repetitions)]
    events = max(1, about_contacts(measured))
    costs: dict[str, float] = defaultdict(float)
    for same in zip(*runs, strict=True):
        costs[same[0][0]] += min(seconds for _, seconds in same) / events * 1e6
    return costs


def _run(tenancy: Tenancy, warm_up: Sequence[OutboundRecord], measured: Sequence[OutboundRecord]) -> list[tuple[str, float]]:
    agents = InProcess(tenancy)
    with infrequent_gc():
        _post(agents, warm_up)
        before = len(agents.steps)
        _post(agents, measured)
    return agents.steps[before:]


def _post(agents: InProcess, records: Sequence[OutboundRecord]) -> None:
    for start in range(0, len(records), _BATCH):
        batch = sorted(records[start : start + _BATCH], key=_topic)
        for topic, each in groupby(batch, key=_topic):
            agents.process(topic, [RecordValue(record.key, record.value, record.headers) for record in each])


def _topic(record: OutboundRecord) -> str:
    return record.topic
