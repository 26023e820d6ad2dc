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


class Event(msgspec.Struct, frozen=True, kw_only=True):
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
        optional = (
            ("ce_subject", self.subject),
            ("ce_time", None if self.time is None else timestamp(self.time)),
            ("ce_recordedtime", None if self.recorded is None else timestamp(self.recorded)),
            ("ce_partitionkey", self.partition_key),
            ("ce_sequence", None if self.sequence is None else sequence(self.sequence)),
            ("ce_dataschema", self.data_schema),
            ("ce_causationid", self.causation_id),
            ("traceparent", self.trace_parent),
        )
        return [
            _SPEC_VERSION,
            ("ce_id", self.id.encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_origin", self.origin.encode()),
            ("content-type", self.content_type),
            *((name, text.encode()) for name, text in optional if text is not None),
        ]


def timestamp(ms: int) -> str:
    """Spell an instant as RFC 3339 in UTC with milliseconds."""
    return f"{_second(ms // 1000)}.{ms % 1000:03d}Z"


@lru_cache(maxsize=4096)  # spelling a date costs 2 µs, and seconds repeat: every record has two or three instants
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
