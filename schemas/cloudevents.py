"""CloudEvents 1.0 in Kafka's binary mode: context attributes as `ce_*` headers, the value untouched.

Spec: CloudEvents Kafka Protocol Binding 1.0.2, section 3.2. Extensions used: partitionkey, sequence, recordedtime, and ours
`origin` (why the record exists) and `causationid` (the event it follows from).
"""

from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

import msgspec

from schemas.message import Headers

AVRO = b"application/avro"
JSON = b"application/json"
BINARY = b"application/octet-stream"
_SPEC_VERSION = ("ce_specversion", b"1.0")


class Origin(StrEnum):
    """Why a record was written."""

    WEBHOOK = "webhook"
    BACKFILL = "backfill"
    RESYNC = "resync"
    REPLAY = "replay"
    OPERATOR = "operator"
    DERIVED = "derived"
    CHECKPOINT = "checkpoint"


class EventContext(msgspec.Struct, frozen=True, kw_only=True):
    """The context of one record. Times are milliseconds since 1970; `recorded` never enters a table's bytes."""

    id: str
    source: str
    type: str
    origin: Origin
    time: int | None = None
    recorded: int | None = None
    subject: str | None = None
    partition_key: str | None = None
    sequence: int | None = None
    data_schema: str | None = None
    causation_id: str | None = None
    trace_parent: str | None = None
    content_type: bytes = BINARY

    def headers(self) -> list[tuple[str, bytes]]:
        """Return the Kafka headers; absent attributes have none."""
        found = [
            _SPEC_VERSION,
            ("ce_id", self.id.encode()),
            *_constant_headers(self.source, self.type, self.origin, self.content_type),
        ]
        if self.subject is not None:
            found.append(("ce_subject", self.subject.encode()))
        if self.time is not None:
            found.append(("ce_time", timestamp(self.time).encode()))
        if self.recorded is not None:
            found.append(("ce_recordedtime", timestamp(self.recorded).encode()))
        if self.partition_key is not None:
            found.append(("ce_partitionkey", self.partition_key.encode()))
        if self.sequence is not None:
            found.append(("ce_sequence", sequence(self.sequence).encode()))
        if self.data_schema is not None:
            found.append(("ce_dataschema", self.data_schema.encode()))
        if self.causation_id is not None:
            found.append(("ce_causationid", self.causation_id.encode()))
        if self.trace_parent is not None:
            found.append(("traceparent", self.trace_parent.encode()))
        return found


@lru_cache(maxsize=1024)  # the records of a source and type all have these, and spelling them again is most of the work
def _constant_headers(source: str, type_: str, origin: Origin, content_type: bytes) -> tuple[tuple[str, bytes], ...]:
    return (
        ("ce_source", source.encode()),
        ("ce_type", type_.encode()),
        ("ce_origin", origin.encode()),
        ("content-type", content_type),
    )


@lru_cache(maxsize=4096)  # under load a millisecond has several records, and every record two or three instants
def timestamp(ms: int) -> str:
    """Spell an instant as RFC 3339 in UTC with milliseconds."""
    return f"{_second(ms // 1000)}.{ms % 1000:03d}Z"


@lru_cache(maxsize=4096)  # spelling a date costs 2 µs, and seconds repeat
def _second(s: int) -> str:
    return f"{datetime.fromtimestamp(s, UTC):%Y-%m-%dT%H:%M:%S}"


def sequence(number: int) -> str:
    """Spell a counter so that text order is number order (the sequence extension compares as text)."""
    return f"{number:020d}"


def context(headers: Headers) -> dict[str, str]:
    """Read all `ce_*` headers back, without the prefix, and the content type."""
    found = {name[3:]: value.decode("utf-8", "replace") for name, value in headers if name.startswith("ce_")}
    for name, value in headers:
        if name == "content-type":
            found["datacontenttype"] = value.decode("utf-8", "replace")
    return found
