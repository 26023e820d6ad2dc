"""What a policy would take away: the present details on `activities`, by type, against the horizons it would have today."""

from collections import Counter

import msgspec

from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.activities.retention import UNLIMITED, RetentionPolicy
from schemas.codec import Avro
from schemas.topics import DAY_MS
from streams.core.activities.limits import RetentionLimits

_TOPIC = "activities"


class TypePreview(msgspec.Struct, frozen=True, kw_only=True):
    """How many activities of a type have details, and how many of them would lose them. 0 days is no limit."""

    type: str
    details: int
    expire: int
    days_before: int
    days: int


class RetentionPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy would change; `longer` are the types whose details would be kept longer than now."""

    tenant: str
    details: int
    expire: int
    types: tuple[TypePreview, ...]
    longer: tuple[str, ...]


async def preview(
    kafka: KafkaSettings, avro: Avro, tenant: str, before: RetentionPolicy, after: RetentionPolicy, *, now: int
) -> RetentionPreview:
    """Return what a policy would change today. Raises Unavailable where Kafka does not answer."""
    limits = RetentionLimits.of(after, 0, now // DAY_MS)
    details, expire = Counter[str](), Counter[str]()
    async with open_ranges(kafka, kafka.topic(_TOPIC)) as reader:
        latest: dict[bytes, tuple[str, int]] = {}
        async for record in reader.records():
            latest.pop(record.key, None)
            if record.value is not None:
                value = avro.decode(record.value)[1]
                if value["tenant"] == tenant:
                    latest[record.key] = (value["type"], value["time"])
    for type_, time in latest.values():
        details[type_] += 1
        expire[type_] += limits.is_expired(type_, time)
    names = sorted({*details, *before.by_type, *after.by_type})
    types = tuple(
        TypePreview(
            type=name, details=details[name], expire=expire[name], days_before=before.days_of(name), days=after.days_of(name)
        )
        for name in names
    )
    return RetentionPreview(
        tenant=tenant,
        details=details.total(),
        expire=expire.total(),
        types=types,
        longer=tuple(each.type for each in types if _rank(each.days) > _rank(each.days_before)),
    )


def _rank(days: int) -> float:
    return float("inf") if days == UNLIMITED else days
