"""The object in a notification."""

from typing import Final

import msgspec

from schemas.errors import InvalidRecord
from streams.core.records.intercom.objects import Object

_ANY: Final = msgspec.json.Decoder()


def decode_item(item: msgspec.Raw) -> Object:
    """Return an item as an object. Raises InvalidRecord for any other value, and for JSON that cannot be decoded."""
    try:
        value = _ANY.decode(item)
    except RecursionError:
        raise InvalidRecord("the item is nested too deeply to read") from None
    except (msgspec.MsgspecError, ValueError):  # bad JSON; or a number of thousands of digits, which Python refuses to read
        raise InvalidRecord("the item is no JSON that can be read; look at what Intercom sent") from None
    if not isinstance(value, dict):
        raise InvalidRecord("the notification is about nothing: its item is no object; look at what Intercom sent")
    return value
