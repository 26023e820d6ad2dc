"""A record as text: one JSON object a line for programs, a heading and the value for people, or its bytes alone."""

from collections.abc import Callable

import msgspec

from schemas.cloudevents import timestamp
from schemas.message import Message
from streams.ops.decode import DecodedValue, Decoder


class RecordView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `--json` prints of a record. `bytes` is the value in base64, where `value` is no exact spelling of it."""

    topic: str
    partition: int
    offset: int
    timestamp: str
    key: str | None
    headers: dict[str, str]
    value: object
    schema: str | None = None
    bytes: str | None = None
    error: str | None = None

    @classmethod
    def of(cls, topic: str, partition: int, record: Message, decode: Decoder) -> "RecordView":
        """Make the line of a record. Keys and headers that are no text show their odd bytes as escapes."""
        said = DecodedValue() if record.value is None else decode(record.key or b"", record.value)
        return cls(
            topic=topic,
            partition=partition,
            offset=record.offset,
            timestamp=_moment(record.timestamp),
            key=None if record.key is None else _text(record.key),
            headers={name: _text(value) for name, value in record.headers},
            value=said.value,
            schema=said.schema,
            bytes=said.bytes,
            error=said.error,
        )


Show = Callable[[RecordView, bytes | None, bool], bytes]
"""Take the line, the value's bytes, and whether it is the first; return what is written."""


def format_json(line: RecordView, value: bytes | None, first: bool) -> bytes:
    """Return one JSON object and a line break."""
    return msgspec.json.encode(line) + b"\n"


def format_raw(line: RecordView, value: bytes | None, first: bool) -> bytes:
    """Return the value's bytes, after a line break unless it is the first."""
    return (b"" if first else b"\n") + (value or b"")


def format_text(line: RecordView, value: bytes | None, first: bool) -> bytes:
    """Return a heading and the value: the bytes themselves on topics that keep what was received, else JSON."""
    kind = line.headers.get("ce_type", "")
    heading = f"{line.timestamp}  {line.partition}:{line.offset}  {line.key or '-'}  {kind}".rstrip()
    reasons = [reason for reason in (line.error, line.headers.get("dl_reason")) if reason]
    return "".join(f"{part}\n" for part in (heading, *reasons)).encode() + _body(line, value) + b"\n\n"


def _body(line: RecordView, value: bytes | None) -> bytes:
    if value is None:
        return b"(deleted)"
    if line.bytes is not None and line.error is None:
        return value
    return line.bytes.encode() if line.bytes is not None else msgspec.json.encode(line.value)


def _moment(ms: int) -> str:
    try:
        return timestamp(ms)
    except (ValueError, OverflowError):
        return str(ms)  # a producer may claim any time


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
