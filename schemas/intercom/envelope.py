"""A post of Intercom's as bytes: its envelope without its payload, and the JSON behind a compressed post.

Only the envelope is decoded, the object in it stays raw: the ingress has to answer in time, and each agent decodes the object for
itself. Intercom's shapes vary by version and by topic (ids as numbers or null, times in three spellings, fields left out), so
nothing here trusts a type.
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
INFLATED_LIMIT: Final = 4 * 1024 * 1024  # four times the limit of a post: JSON of this kind shrinks to a tenth
_LONGEST_NAME: Final = 255  # of an id or a topic; Intercom's longest are under 60
_END_OF_TIME: Final = 253_402_300_800  # the year 10000, which no calendar here can show
NULL: Final = msgspec.Raw(b"null")  # an object that is not there


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Who posted what about which workspace. `created_at` is Unix seconds or None, `item` the raw JSON of `data.item`.

    `id` is the notification's, or for a null one (a ping) the UUIDv5 of the body's bytes; `topic` and `app_id` may be empty.
    """

    id: str
    topic: str
    app_id: str
    created_at: int | None
    item: msgspec.Raw


class TooLarge(InvalidRecord):
    """Say that a compressed body is larger than we are willing to hold."""


class _Data(msgspec.Struct, frozen=True):
    item: msgspec.Raw = NULL


class _Outer(msgspec.Struct, frozen=True):
    id: msgspec.Raw = NULL
    topic: msgspec.Raw = NULL
    app_id: msgspec.Raw = NULL
    created_at: msgspec.Raw = NULL


class _Notification(_Outer, frozen=True):
    data: _Data = _Data()


_NOTIFICATION: Final = msgspec.json.Decoder(_Notification)
_OUTER: Final = msgspec.json.Decoder(_Outer)
_ANY: Final = msgspec.json.Decoder()

# A cut text may end in half an emoji: JSON's grammar allows the escape, its decoder here does not. Read as U+FFFD, kept as posted.
# Whole pairs and other escapes are matched first, so that `\\ud800` stays the backslash that it is.
_HALF_A_PAIR: Final = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)|\\.", re.DOTALL)
_REPLACEMENT: Final = rb"\ufffd"


def envelope(body: bytes) -> Envelope:
    """Read the envelope of a body. Raises `InvalidRecord` where the bytes are no JSON object in UTF-8; the reason shows none of them."""
    outer = _outer(body)
    return Envelope(
        id=name(outer.id) or derived("body", digest(body)),
        topic=name(outer.topic) or "",
        app_id=name(outer.app_id) or "",
        created_at=seconds(outer.created_at),
        item=outer.data.item if isinstance(outer, _Notification) else NULL,
    )


def body(record: Message) -> bytes:
    """Return the JSON bytes of an inbound record, inflated where it was posted compressed. Raises `InvalidRecord` where that fails."""
    value = record.value or b""
    encoding = header(record.headers, CONTENT_ENCODING)
    if encoding is None:
        return value
    if encoding != "gzip":
        raise InvalidRecord("the body was posted in an encoding other than gzip; ask the sender for gzip or none")
    return inflate(value)


def inflate(data: bytes, limit: int = INFLATED_LIMIT) -> bytes:
    """Return what a gzip body holds, of at most `limit` bytes. Raises `TooLarge`, or `InvalidRecord` for bytes that are no gzip."""
    found = bytearray()
    while data:
        member = zlib.decompressobj(wbits=31)  # 31: gzip's frame, and no other
        try:
            found += member.decompress(data, limit + 1 - len(found))
        except zlib.error:
            raise InvalidRecord("the body says gzip and is not: it was damaged, or the sender named the wrong encoding") from None
        if len(found) > limit:
            raise TooLarge(f"the body is larger than {limit} bytes once inflated")
        if not member.eof:
            raise InvalidRecord("the gzip body ends too early: it was cut on its way here")
        data = member.unused_data
    return bytes(found)


def name(raw: msgspec.Raw) -> str | None:
    """Read an id or a name: a text or a whole number. None for anything else: empty, null, too long, or with control characters."""
    value = _any(raw)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**_LONGEST_NAME else None
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable():
        return value
    return None


def seconds(raw: msgspec.Raw) -> int | None:
    """Read an instant as Unix seconds: a number, a number as text, or ISO 8601 (without a zone it is UTC)."""
    value = _any(raw)
    try:
        if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
            moment = datetime.fromisoformat(value)
            value = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        whole = int(value)
    except (ValueError, OverflowError):
        return None
    return whole if 0 < whole < _END_OF_TIME else None


def _outer(data: bytes) -> _Outer:
    try:
        return _read(data)
    except InvalidRecord:
        mended = _HALF_A_PAIR.sub(lambda found: found[0] if found[1] is None else _REPLACEMENT, data)
        if mended == data:
            raise
    return _read(mended)


def _read(data: bytes) -> _Outer:
    try:
        str(data, "utf-8")  # the decoder skips what it does not need, bad UTF-8 included
        try:
            return _NOTIFICATION.decode(data)
        except msgspec.ValidationError:  # `data` is no object: an envelope about nothing
            return _OUTER.decode(data)
    except UnicodeDecodeError:
        raise InvalidRecord("the body is not UTF-8") from None
    except RecursionError:
        raise InvalidRecord("the body is JSON nested too deeply to read") from None
    except msgspec.MsgspecError:
        raise InvalidRecord("the body is not a JSON object") from None


def _any(raw: msgspec.Raw) -> object:
    try:
        return _ANY.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # half a surrogate pair, a number beyond any
        return None
