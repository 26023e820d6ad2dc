"""What a replay would do, found by reading its range and sending nothing."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec

from connectors.kafka.ranges import OffsetRange, open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.message import header
from streams.ops.replay.selection import ReplaySelection, replayed

_BATCH = 2000


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay reads and would send; `types` counts it by `ce_type`, `first` and `last` are times of records (ms), null without any.

    `seconds` is about how long it would take: at the pace it would keep, and no less than twice what reading took, since it writes too.
    """

    topic: str
    ranges: dict[int, OffsetRange]
    reads: int
    sends: int
    replays_left_out: int
    types: dict[str, int]
    first: int | None = None
    last: int | None = None
    seconds: float = 0.0


async def ranges_of(kafka: KafkaSettings, selection: ReplaySelection) -> dict[int, OffsetRange]:
    """Return the offsets a replay reads, up to what is committed now. Raises BadConfiguration for a range that the log does not have."""
    async with open_ranges(kafka, kafka.topic(selection.topic)) as reader:
        bounds = await reader.bounds()
        since: Mapping[int, int | None] = {} if selection.since is None else await reader.offsets_at(selection.since)
        return selection.ranges(bounds, since)


async def plan(
    kafka: KafkaSettings, selection: ReplaySelection, on_progress: Callable[[int], None], *, per_second: float | None = None
) -> Plan:
    """Read the range and count what would be sent, at so many records a second at most."""
    started = time.monotonic()
    ranges = await ranges_of(kafka, selection)
    reads = replays = 0
    types: Counter[str] = Counter()
    times: list[int] = []
    async for records in records_of(kafka, selection, ranges):
        reads += len(records)
        replays += sum(replayed(record) for record in records)
        wanted = [record for record in records if not replayed(record) and selection.selects(record)]
        types.update(header(record.headers, "ce_type") or "without a type" for record in wanted)
        stamps = [record.timestamp for record in wanted]
        times = [min(times + stamps), max(times + stamps)] if stamps else times
        on_progress(reads)
    return Plan(
        topic=selection.topic,
        ranges=ranges,
        reads=reads,
        sends=types.total(),
        replays_left_out=replays,
        types=dict(types.most_common()),
        first=times[0] if times else None,
        last=times[1] if times else None,
        seconds=round(max(2 * (time.monotonic() - started), types.total() / per_second if per_second else 0.0), 1),
    )


async def records_of(
    kafka: KafkaSettings, selection: ReplaySelection, ranges: Mapping[int, OffsetRange]
) -> AsyncIterator[list[Any]]:
    """Yield all records of the ranges, selected or not."""
    async with open_ranges(kafka, kafka.topic(selection.topic)) as reader:
        async for batch in reader.read(ranges, _BATCH):
            yield batch.records
