"""The fields of a profile's change, and their Avro: most of the time of a new profile's change would go into that of its fields.

A change has many fields of few origins, so an origin is encoded once for those that follow each other, and each field in one expression. The bytes are those of the
array `changes` in `schemas/avro/profile_change.avsc`; `tests/schemas/profiles/test_changes.py` holds them against the codec's.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from schemas.prepared_avro.types import Encoded
from schemas.prepared_avro.writer import END, NULL, array_size, name_bytes, nullable_text_bytes, number_bytes, text_bytes


class ValueOrigin(msgspec.Struct, frozen=True, gc=False):
    """Where a value comes from: record, event, time in ms cut to the second."""

    record: str
    event: str
    time: int


class FieldChange(msgspec.Struct, frozen=True, gc=False):
    """A field with both values as canonical JSON, None where there is none, and where the change comes from."""

    field: str
    before: str | None
    after: str | None
    origin: ValueOrigin


def as_avro(changes: Sequence[FieldChange]) -> Encoded | list[dict[str, Any]]:
    """Return the array of these changes encoded; as plain values where a text cannot be, which the codec then reports."""
    try:
        return _encoded(changes)
    except UnicodeEncodeError:
        return [
            {"field": each.field, "before": each.before, "after": each.after, **msgspec.structs.asdict(each.origin)}
            for each in changes
        ]


def _encoded(changes: Sequence[FieldChange]) -> Encoded:
    if not changes:
        return Encoded(END)
    parts = [array_size(len(changes))]
    last, tail = None, b""
    for change in changes:
        origin, before = change.origin, change.before
        if origin is not last:  # most fields that follow each other have the same one
            last, tail = origin, text_bytes(origin.record) + text_bytes(origin.event) + number_bytes(origin.time)
        old = NULL if before is None else nullable_text_bytes(before)
        parts.append(name_bytes(change.field) + old + nullable_text_bytes(change.after) + tail)
    parts.append(END)
    return Encoded(b"".join(parts))
