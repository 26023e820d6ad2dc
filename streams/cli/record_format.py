"""A record as text: one JSON object per line for programs, a heading and the value for people, or the value's bytes alone."""

from collections.abc import Callable

import msgspec

from schemas.cloudevents import timestamp
from schemas.json_lines import json_line
from schemas.message import Message
from streams.cli.lines import visible
from streams.ops.decode import DecodedValue, Decoder


class RecordView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `--json` prints of a record. `bytes` is the value in base64 where `value` does not represent it exactly."""

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
        """Return the view of a record. Bytes of keys and headers that are not UTF-8 appear as escapes."""
        decoded = DecodedValue() if record.value is None else decode(record.key or b"", record.value)
        return cls(
            topic=topic,
            partition=partition,
            offset=record.offset,
            timestamp=_spell_time(record.timestamp),
            key=None if record.key is None else _text(record.key),
            headers={name: _text(value) for name, value in record.headers},
            value=decoded.value,
            schema=decoded.schema,
            bytes=decoded.bytes,
            error=decoded.error,
        )


RecordFormatter = Callable[[RecordView, bytes | None, bool], bytes]
"""Take the view, the value's bytes, and whether the record is the first; return the bytes to write."""


def format_json(view: RecordView, value: bytes | None, first: bool) -> bytes:
    """Return one JSON object and a newline."""
    return json_line(view) + b"\n"


def format_raw(view: RecordView, value: bytes | None, first: bool) -> bytes:
    """Return the value's bytes, preceded by a newline unless the record is the first."""
    return (b"" if first else b"\n") + (value or b"")


def format_text(view: RecordView, value: bytes | None, first: bool) -> bytes:
    """Return a heading and the value: the bytes themselves on topics that store received bodies, JSON on the others."""
    event_type = view.headers.get("ce_type", "")
    heading = f"{view.timestamp}  {view.partition}:{view.offset}  {view.key or '-'}  {event_type}".rstrip()
    reasons = [reason for reason in (view.error, view.headers.get("dl_reason")) if reason]
    return "".join(f"{visible(part)}\n" for part in (heading, *reasons)).encode() + _body(view, value) + b"\n\n"


def _body(view: RecordView, value: bytes | None) -> bytes:
    if value is None:
        return b"(deleted)"
    if view.bytes is not None and view.error is None:
        return value
    return view.bytes.encode() if view.bytes is not None else json_line(view.value)


def _spell_time(ms: int) -> str:
    try:
        return timestamp(ms)
    except (ValueError, OverflowError):
        return str(ms)  # a producer may set any timestamp


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
