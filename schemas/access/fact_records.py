"""The records of `access.facts`: a fact as Avro, and its CloudEvents context."""

from typing import Any, Final

import msgspec

from schemas.access import limits
from schemas.access.facts import TOPIC, Fact, type_of
from schemas.cloudevents import AVRO, EventContext, Origin
from schemas.codec import FRAME, Avro
from schemas.errors import InvalidRecord
from schemas.message import Message
from schemas.plain_values import plain

SCHEMA: Final = "fact"
_DIFFERING: Final = (
    ("id",),
    ("evidence", "line"),
    ("person", "name"),
    ("person", "addresses"),
    ("record", "record"),
    ("record", "roles"),
    ("record", "department"),
    ("record", "employee"),
)
"""What differs between the facts of one import. None of it is a part of a key, or an instant."""


def encode(avro: Avro, fact: Fact) -> bytes:
    """Return the fact as framed Avro."""
    return avro.encode(SCHEMA, plain(fact))


def encode_valid(avro: Avro, fact: Fact) -> bytes:
    """Return the fact as framed Avro. Raises InvalidRecord for one that would be a dead letter."""
    value = plain(fact)
    data = avro.encode(SCHEMA, value)
    _check(fact, value, len(data))
    return data


def decode(avro: Avro, data: bytes | None) -> Fact:
    """Return the fact. Raises InvalidRecord for any other value, and for a fact whose ids cannot be parts of a key."""
    if data is None:
        raise InvalidRecord("a record without a value is no fact: nothing is ever deleted from this log")
    repeating = avro.repeating(SCHEMA, _DIFFERING)
    repeated: Fact | None = repeating.repeated(data) if len(data) <= limits.SHORT_VALUE else None
    if repeated is not None:
        return repeated  # what is checked below is as in the fact that it repeats
    name, value = avro.decode(data)
    if name != SCHEMA:
        raise InvalidRecord(f"a value of schema {name} is no fact; look at who writes to {TOPIC}")
    try:
        fact = msgspec.convert(value, Fact)
    except msgspec.ValidationError as error:
        raise InvalidRecord(f"the fact does not fit its schema: {error}") from None
    _check(fact, value, len(data))
    if fact.record is not None and avro.is_current(data):
        repeating.remember(fact, data, FRAME)
    return fact


def _check(fact: Fact, value: dict[str, Any], size: int) -> None:
    if not fact.tenant or fact.tenant.startswith("@"):
        raise InvalidRecord("a fact names its tenant, and no tenant begins with '@'")
    named = f"{fact.tenant}{fact.app_id or ''}{fact.account or ''}{fact.staff or ''}"
    if fact.record is not None:
        named += fact.record.source
    if fact.snapshot is not None:
        named += f"{fact.snapshot.source}{fact.snapshot.id}"
    if "|" in named or not named.isprintable():
        raise InvalidRecord(
            "an id in the fact holds '|' or a control character, which separate parts of keys; look at the sender"
        )
    limits.check(fact, value, size)


def of_record(avro: Avro, record: Message) -> Fact:
    """Return the fact of a record of the log. Raises InvalidRecord also where its key is not its tenant.

    The key decides the partition, so another key would put the fact outside of the one order of its tenant's log; and who may write for
    one tenant must not write for another.
    """
    fact = decode(avro, record.value)
    if record.key != fact.tenant.encode():
        raise InvalidRecord("the fact is of another tenant than its record's key names; write it with its tenant as the key")
    return fact


def event_context(
    avro: Avro, fact: Fact, *, origin: Origin, recorded: int | None = None, causation_id: str | None = None
) -> EventContext:
    """Return the CloudEvents context of a fact's record; its id is the fact's."""
    return EventContext(
        id=fact.id,
        source=f"/access/{fact.tenant}/{fact.source}",
        type=type_of(fact.kind),
        origin=origin,
        time=fact.time,
        recorded=recorded,
        subject=_subject(fact),
        partition_key=fact.tenant,
        data_schema=avro.data_schema(SCHEMA),
        causation_id=causation_id,
        content_type=AVRO,
    )


def _subject(fact: Fact) -> str | None:
    if fact.account is not None:
        return f"admin/{fact.account}"
    if fact.record is not None:
        return f"staff/{fact.record.source}/{fact.record.record}"
    return fact.app_id
