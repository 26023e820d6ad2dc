"""Whether the logs reach back to the first event of everything that a table holds."""

from collections.abc import Collection

from connectors.kafka.ranges import OffsetRange, open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.errors import BadConfiguration
from schemas.message import Message, header
from schemas.profiles.checkpoints import COMPLETED_TYPE, FROM_HEADER
from schemas.topics import TOPICS

_LOOKED_AT = 200_000  # of a partition's last offsets, for the end of a round


async def require_history(kafka: KafkaSettings, inputs: Collection[str]) -> None:
    """Raise BadConfiguration where a partition of an input has lost its beginning, and no round of checkpoints stands for it."""
    for name in inputs:
        if TOPICS[name].compact:
            continue
        async with open_ranges(kafka, kafka.topic(name)) as reader:
            for partition, (start, end) in (await reader.bounds()).items():
                if start == 0:
                    continue
                ranges = {partition: OffsetRange(max(start, end - _LOOKED_AT), end)}
                rounds = [first async for record in reader.records(ranges) if (first := _round(record)) is not None]
                if not any(first >= start for first in rounds):
                    raise BadConfiguration(
                        f"partition {partition} of {name} begins at offset {start}: earlier records were deleted by its retention, and no "
                        "round of checkpoints stands for them. A rebuild would lose what only they said, so none was begun"
                    )


def _round(record: Message) -> int | None:
    """Return the offset at which a round of checkpoints begins, for the record that ends it."""
    first = header(record.headers, FROM_HEADER) if header(record.headers, "ce_type") == COMPLETED_TYPE else None
    return int(first) if first is not None and first.isdecimal() else None
