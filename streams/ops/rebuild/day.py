"""The day of the activities agent, by which details expire: a rebuild is woken by nobody, so it takes over the one the live tables have come to.

`activity.records` has the marks of what has expired. Until it is compacted it has the details too, and a partition without a day keeps them:
they would be differences, and a swap would publish what had expired.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from connectors.kafka.transaction import TopicRecord
from schemas.activities.retention import WAKES_TOPIC, DayReached
from streams.agents.activities.retention import DAY_ROW, wake_of
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionProcessor
from streams.engine.runner import Running
from streams.ops.rebuild.hold import HeldAgents

_AGENT: Final = "activities"
_LOOK_S: Final = 0.1


async def take_over_day(live: Running, built: Running, names: Naming, held: HeldAgents) -> None:
    """Let the partitions that are built come to the live ones' day, the earliest of them: what the live one has not let expire must not be lost.

    Does nothing where the unit has no activities, or a live partition has no day yet.
    """
    days = days_of(live).values()
    reached = min((-1 if day is None else day for day in days), default=-1)
    if reached < 0 or _all_reached(built, reached):
        return
    wake = wake_of(reached)
    topic = names.own(names.generation(_AGENT).number, WAKES_TOPIC)
    await held.append([TopicRecord(topic, None, wake.value, wake.headers, everywhere=True, timestamp=wake.at)])
    while not _all_reached(built, reached):  # noqa: ASYNC110  # the engine sets no event
        await asyncio.sleep(_LOOK_S)


def days_of(running: Running) -> Mapping[int, int | None]:
    """Return the day that each partition of the activities agent has reached, None before its first."""
    return {each.partition: _day_of(each) for each in running.engine.all_processors() if each.agent.name == _AGENT}


def _day_of(processor: PartitionProcessor) -> int | None:
    data = processor.store.get(DAY_ROW.decode())
    row = None if data is None else processor.agent.codec.decode(data)
    return row.day if isinstance(row, DayReached) else None


def _all_reached(running: Running, day: int) -> bool:
    return all(each is not None and each >= day for each in days_of(running).values())
