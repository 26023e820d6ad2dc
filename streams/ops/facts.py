"""The facts of a tenant as the access agent understands them, for those who read the log beside it."""

from collections.abc import Collection
from contextlib import suppress
from typing import Any, Final

from connectors.kafka.fact_log import find_records
from connectors.kafka.settings import KafkaSettings
from schemas.access import fact_records
from schemas.access.fact_kinds import KINDS
from schemas.access.facts import Fact, type_of
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.message import header
from streams.core.access.facts.apply import check

_TYPES: Final = frozenset(map(type_of, KINDS))


def understood(avro: Avro, record: Any, types: Collection[str]) -> Fact | None:
    """Return the fact of a record if it is of one of these types, as of `type_of`; None for others.

    What cannot be understood is a dead letter, and decides nothing. A header names the type of a fact that we write; a fact of another
    producer needs none, so it is decoded.
    """
    named = header(record.headers, "ce_type")
    if record.value is None or (named in _TYPES and named not in types):
        return None
    with suppress(InvalidRecord):
        fact = fact_records.of_record(avro, record)
        check(fact)
        return fact if type_of(fact.kind) in types else None
    return None


async def find_understood(kafka: KafkaSettings, avro: Avro, tenant: str, types: Collection[str]) -> list[Fact]:
    """Return a tenant's facts of these types, in log order, as committed until now."""
    return await find_records(kafka, tenant, lambda record: understood(avro, record, types))
