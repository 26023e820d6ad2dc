"""The envelope of a notification of Intercom's, and the JSON of a compressed one.

Only the envelope is decoded, the object in it stays raw: the ingress has to answer in time, and each agent decodes the object
itself. Types vary by API version and topic (ids as numbers or null, times in three formats, fields left out), so no type is
trusted here.
"""

import re
import zlib
from datetime import UTC, datetime
from typing import Final

import msgspec

from schemas.canonical import digest
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.message import Message, header

CONTENT_ENCODING: Final = "content-encoding"  # the header of a record whose value was posted compressed
INFLATED_LIMIT: Final = 4 * 1024 * 1024  # four times the limit of a post: such JSON compresses to a tenth
_LONGEST_NAME: Final = 255  # of an id or a topic; Intercom's longest are under 60
_END_OF_TIME: Final = 253_402_300_800  # the year 10000, which datetime cannot represent
NULL: Final = msgspec.Raw(b"null")  # the raw JSON of a missing field


class Envelope(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A notification's envelope. `created_at` is Unix seconds or None, `item` the raw JSON of `data.item`.

    `id` is the notification's, or where that is null (a ping) the UUIDv5 of the body's bytes; `topic` and `app_id` may be empty.
    """

    id: str
    topic: str
    app_id: str
    created_at: int | None
    item: msgspec.Raw


class TooLarge(InvalidRecord):
    """A compressed body that inflates beyond the limit."""


class _Data(msgspec.Struct, frozen=True, gc=False):
    item: msgspec.Raw = NULL


class _WithoutData(msgspec.Struct, frozen=True):
    id: msgspec.Raw = NULL
    topic: msgspec.Raw = NULL
    app_id: msgspec.Raw = NULL
    created_at: msgspec.Raw = NULL


class _Notification(_WithoutData, frozen=True):
    data: _Data = _Data()


class _Typed(msgspec.Struct, frozen=True, gc=False):
    id: str
    topic: str
    app_id: str
    created_at: int
    data: _Data


_TYPED: Final = msgspec.json.Decoder(_Typed)
_NOTIFICATION: Final = msgspec.json.Decoder(_Notification)
_WITHOUT_DATA: Final = msgspec.json.Decoder(_WithoutData)
_ANY: Final = msgspec.json.Decoder()

# A truncated text may end in half an emoji: JSON's grammar allows the escape, this decoder does not. It is decoded as U+FFFD; the
# record keeps the posted bytes. Whole pairs and other escapes are matched first, so that `\\ud800` stays a backslash.
_UNPAIRED_SURROGATE: Final = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)|\\.", re.DOTALL)
_REPLACEMENT: Final = rb"\ufffd"


def envelope(body: bytes) -> Envelope:
    """Return the envelope of a body. Raises `InvalidRecord`, which shows no bytes, if they are no JSON object in UTF-8."""
    return _typed_envelope(body) or untyped_envelope(body)


def _typed_envelope(body: bytes) -> Envelope | None:
    """Return the envelope of nearly all bodies in half the time: each field is of the type that the documentation has."""
    try:
        str(body, "utf-8")
        fields = _TYPED.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if is_name(fields.id) and is_name(fields.topic) and is_name(fields.app_id) and is_second(fields.created_at):
        return Envelope(
            id=fields.id, topic=fields.topic, app_id=fields.app_id, created_at=fields.created_at, item=fields.data.item
        )
    return None


def untyped_envelope(body: bytes) -> Envelope:
    """Return the envelope of any body, as `envelope` does."""
    fields = _fields(body)
    return Envelope(
        id=name(fields.id) or derived("body", digest(body)),
        topic=name(fields.topic) or "",
        app_id=name(fields.app_id) or "",
        created_at=seconds(fields.created_at),
        item=fields.data.item if isinstance(fields, _Notification) else NULL,
    )


def body(record: Message) -> bytes:
    """Return the JSON bytes of an inbound record, inflated if it was posted compressed. Raises `InvalidRecord` if that fails."""
    return inflated(record.value or b"", header(record.headers, CONTENT_ENCODING))


def inflated(value: bytes, encoding: str | None) -> bytes:
    """Return the same, given the value and the content encoding of the record."""
    if encoding is None:
        return value
    if encoding != "gzip":
        raise InvalidRecord("the body was posted in an encoding other than gzip; ask the sender for gzip or none")
    return inflate(value)


def inflate(data: bytes, limit: int = INFLATED_LIMIT) -> bytes:
    """Return a gzip body inflated to at most `limit` bytes. Raises `TooLarge`, or `InvalidRecord` for bytes that are no gzip."""
    inflated = bytearray()
    while data:
        member = zlib.decompressobj(wbits=31)  # 31: only gzip's frame
        try:
            inflated += member.decompress(data, limit + 1 - len(inflated))
        except zlib.error:
            raise InvalidRecord("the body says gzip and is not: it was damaged, or the sender named the wrong encoding") from None
        if len(inflated) > limit:
            raise TooLarge(f"the body is larger than {limit} bytes once inflated")
        if not member.eof:
            raise InvalidRecord("the gzip body ends too early: it was cut on its way here")
        data = member.unused_data
    return bytes(inflated)


def name(raw: msgspec.Raw) -> str | None:
    """Return an id or a name, a text or a whole number; None for others: empty, null, too long, or with control characters."""
    if raw is NULL:  # most fields that are looked for are missing
        return None
    value = _decode_any(raw)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**_LONGEST_NAME else None
    return value if isinstance(value, str) and is_name(value) else None


def is_name(text: str) -> bool:
    """Return whether a text can be an id or a name: not empty, not too long, no control characters."""
    return 0 < len(text) <= _LONGEST_NAME and text.isprintable()


def is_second(second: int) -> bool:
    """Return whether a number is a time in Unix seconds that can be represented."""
    return 0 < second < _END_OF_TIME


def seconds(raw: msgspec.Raw) -> int | None:
    """Return a time as Unix seconds, from a number, a number as text, or ISO 8601 (without a zone it is UTC); None for others."""
    value = _decode_any(raw)
    try:
        if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
            moment = datetime.fromisoformat(value)
            value = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        second = int(value)
    except (ValueError, OverflowError):
        return None
    return second if is_second(second) else None


def _fields(data: bytes) -> _WithoutData:
    try:
        return _decode(data)
    except InvalidRecord:
        replaced = _UNPAIRED_SURROGATE.sub(lambda match: match[0] if match[1] is None else _REPLACEMENT, data)
        if replaced == data:
            raise
    return _decode(replaced)


def _decode(data: bytes) -> _WithoutData:
    try:
        str(data, "utf-8")  # the decoder skips fields it does not need, and with them bad UTF-8
        try:
            return _NOTIFICATION.decode(data)
        except msgspec.ValidationError:  # `data` is no object: an envelope without an item
            return _WITHOUT_DATA.decode(data)
    except UnicodeDecodeError:
        raise InvalidRecord("the body is not UTF-8") from None
    except RecursionError:
        raise InvalidRecord("the body is JSON nested too deeply to read") from None
    except msgspec.MsgspecError:
        raise InvalidRecord("the body is not a JSON object") from None


def _decode_any(raw: msgspec.Raw) -> object:
    try:
        return _ANY.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # an unpaired surrogate, or a number too large for Python
        return None
