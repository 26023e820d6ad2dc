"""A plain notification, read in one pass: its envelope and its object's id, as text, where the documentation has them.

Nearly all posts are plain. The others (ids as numbers or null, times as text, an object without an id) are read by `envelope`, which
takes twice as long because it trusts no type.
"""

from typing import Final

import msgspec

from schemas.intercom.envelope import is_name, is_second


class PlainItem(msgspec.Struct, frozen=True):
    """The object of a notification, of which only the id is decoded."""

    id: str


class PlainData(msgspec.Struct, frozen=True):
    """The `data` of a notification."""

    item: PlainItem


class PlainNotification(msgspec.Struct, frozen=True):
    """A plain notification. Each field is what `envelope` and `name` return for the same body."""

    id: str
    topic: str
    app_id: str
    created_at: int
    data: PlainData


_DECODER: Final = msgspec.json.Decoder(PlainNotification)


def plain_notification(body: bytes) -> PlainNotification | None:
    """Return the notification if it is plain, else None, also for a body that is not readable at all."""
    try:
        if not body.isascii():
            str(body, "utf-8")  # the decoder skips fields it does not need, and with them bad UTF-8
        read = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    plain = (
        is_second(read.created_at)
        and is_name(read.id)
        and is_name(read.topic)
        and is_name(read.app_id)
        and is_name(read.data.item.id)
        and read.data.item.id != "0"  # Intercom's way of saying that there is none
    )
    return read if plain else None
