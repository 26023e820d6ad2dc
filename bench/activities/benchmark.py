"""What an activity costs by how much there is before it, what is left of one whose details have expired, and what both cost others."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from bench.activities import agents, expiry, flat, purge, redaction
from bench.activities.part import PartReport
from bench.cluster import Cluster
from bench.options import Options
from bench.report import Report

PARTS: Final = MappingProxyType[str, Callable[[Options, Cluster], PartReport]]({
    "person": flat.person,
    "late": flat.late,
    "conversation": flat.conversation,
    "expiry": expiry.expiry,
    "sealed": expiry.sealed,
    "agents": agents.agents,
    "purge": purge.purge,
    "redaction": redaction.redaction,
})  # fmt: skip


def run(options: Options, cluster: Cluster) -> Report:
    """Measure each part. The last three go through Kafka, the others are steps of agents in this process."""
    found = [PARTS[name](options, cluster) for name in options.chosen(tuple(PARTS))]
    return Report(
        name="activities",
        about="the agents of conversations, happenings, activities and timelines: in one process without Kafka, and through Kafka",
        tables=tuple(table for each in found for table in each.tables),
        ratios={name: ratio for each in found for name, ratio in each.ratios.items()},
        checks={name: holds for each in found for name, holds in each.checks.items()},
    )
