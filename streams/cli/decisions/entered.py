"""What the access agent has entered for those who decide, and how far it has come in the log of facts."""

from typing import Final, NamedTuple

from connectors.kafka.ranges import OffsetRange, open_ranges
from connectors.kafka.topic_end import latest_of_group
from connectors.kafka.topics import present
from schemas.access.decision_entries import ENTRY, TOPIC, DecisionEntry, EntriesBegin
from schemas.codec import Avro
from schemas.partition import partition_of
from streams.settings import Settings

LEDGER: Final = "access.ledger"
_LATEST: Final = 500  # offsets at the ledger's end in which the tenant's last entry is looked for first
_GROWTH: Final = 4  # so much more in each further look


class Entered(NamedTuple):
    """A tenant's decisions as the agent has entered them, in the order of the log; `is_complete` where it has entered all that it came to."""

    decisions: tuple[DecisionEntry, ...] = ()
    is_complete: bool = False


async def entered(settings: Settings, tenant: str) -> Entered:
    """Return what is entered; nothing, where the topic is not there yet."""
    rows = await latest_of_group(settings.kafka, TOPIC, tenant)
    entries = [ENTRY.decode(value) for value in rows.values()]
    decisions = sorted((each for each in entries if isinstance(each, DecisionEntry)), key=lambda each: each.offset)
    return Entered(tuple(decisions), any(isinstance(each, EntriesBegin) for each in entries))


async def reached(settings: Settings, avro: Avro, tenant: str) -> int:
    """Return the offset of the tenant's last fact in the ledger: what the agent has not come to is behind it, and is little.

    0 where there is none. The ledger is read from its end: every monitored tenant has an entry each quarter of an hour at least.
    """
    topic = settings.kafka.topic(LEDGER)
    if not (partitions := (await present(settings.kafka)).get(topic)):
        return 0
    number, key = partition_of(tenant.encode(), partitions), tenant.encode()
    async with open_ranges(settings.kafka, topic) as reader:
        start, end = (await reader.bounds())[number]
        size = _LATEST
        while start < end:
            begin = max(start, end - size)
            values = [each.value async for each in reader.records({number: OffsetRange(begin, end)}) if each.key == key]
            if values:
                return max(int(avro.decode(value)[1]["offset"]) for value in values)
            end, size = begin, size * _GROWTH
    return 0
