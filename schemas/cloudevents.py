"""CloudEvents 1.0 in Kafka's binary mode: context attributes as `ce_*` headers, the value unchanged.

Spec: CloudEvents Kafka Protocol Binding 1.0.2, section 3.2. Extensions used: partitionkey, sequence, recordedtime, and two of
this product, `origin` (why the record exists) and `causationid` (the event it follows from).
"""

from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from schemas.message import Headers

AVRO: Final = b"application/avro"
JSON: Final = b"application/json"
BINARY: Final = b"application/octet-stream"
SPEC_VERSION: Final = ("ce_specversion", b"1.0")


class Origin(StrEnum):
    """Why a record was written."""

    WEBHOOK = "webhook"
    BACKFILL = "backfill"
    RESYNC = "resync"
    REPLAY = "replay"
    OPERATOR = "operator"
    DERIVED = "derived"
    CHECKPOINT = "checkpoint"

    __hash__ = str.__hash__  # the one of enumerations is written in Python, and every record looks up its constant headers


class EventContext(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The context of one record. Times are milliseconds since 1970; tables never store `recorded`."""

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
        return self.headers_of(recorded=self.recorded, causation_id=self.causation_id, trace_parent=self.trace_parent)

    def headers_of(self, *, recorded: int | None, causation_id: str | None, trace_parent: str | None) -> list[tuple[str, bytes]]:
        """Return the headers of a record of this context, with what it follows from."""
        headers = [
            SPEC_VERSION,
            ("ce_id", self.id.encode()),
            *constant_headers(self.source, self.type, self.origin, self.content_type),
        ]
        if self.subject is not None:
            headers.append(("ce_subject", self.subject.encode()))
        if self.time is not None:
            headers.append(("ce_time", timestamp_bytes(self.time)))
        if recorded is not None:
            headers.append(("ce_recordedtime", timestamp_bytes(recorded)))
        if self.partition_key is not None:
            headers.append(("ce_partitionkey", self.partition_key.encode()))
        if self.sequence is not None:
            headers.append(("ce_sequence", b"%020d" % self.sequence))  # as `sequence`
        if self.data_schema is not None:
            headers.append(("ce_dataschema", self.data_schema.encode()))
        if causation_id is not None:
            headers.append(("ce_causationid", causation_id.encode()))
        if trace_parent is not None:
            headers.append(("traceparent", trace_parent.encode()))
        return headers


@lru_cache(maxsize=1024)  # all records of a source and type have these, and encoding them is most of the work
def constant_headers(source: str, type_: str, origin: Origin, content_type: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return the headers that all records of a source and type share."""
    return (
        ("ce_source", source.encode()),
        ("ce_type", type_.encode()),
        ("ce_origin", origin.encode()),
        ("content-type", content_type),
    )


@lru_cache(maxsize=4096)  # under load a millisecond has several records, and every record two or three times
def timestamp(ms: int) -> str:
    """Format a time as RFC 3339 in UTC with milliseconds."""
    second, millisecond = divmod(ms, 1000)
    hour, of_hour = divmod(second, 3600)
    return f"{_hour(hour)}{_OF_HOUR[of_hour]}.{millisecond:03d}Z"


def timestamp_bytes(ms: int) -> bytes:
    """Return the header value of a time."""
    return timestamp(ms).encode()


_OF_HOUR: Final = tuple(f":{second // 60:02d}:{second % 60:02d}" for second in range(3600))


@lru_cache(maxsize=4096)  # formatting a date takes 2 µs; a replay has few hours and many seconds
def _hour(number: int) -> str:
    return datetime.fromtimestamp(number * 3600, UTC).isoformat()[: len("2026-01-01T00")]


def sequence(number: int) -> str:
    """Format a counter so that text order is number order (the sequence extension compares as text)."""
    return f"{number:020d}"


_REPLACED_BY_REPLAY: Final = frozenset({"ce_origin", "ce_replayid"})


def replay_headers(headers: Headers, replay: str) -> list[tuple[str, bytes]]:
    """Return the headers of a record that a replay with that id sends again: the same event, with why it was written."""
    kept = [header for header in headers if header[0] not in _REPLACED_BY_REPLAY]
    return [*kept, ("ce_origin", Origin.REPLAY.encode()), ("ce_replayid", replay.encode())]


def context(headers: Headers) -> dict[str, str]:
    """Return all `ce_*` headers, without the prefix, and the content type."""
    attributes = {name[3:]: value.decode("utf-8", "replace") for name, value in headers if name.startswith("ce_")}
    for name, value in headers:
        if name == "content-type":
            attributes["datacontenttype"] = value.decode("utf-8", "replace")
    return attributes
