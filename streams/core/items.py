"""The object inside a notification, decoded whatever odd JSON it is made of."""

import json
import re
from typing import Any, Final

import msgspec

from schemas.errors import Unusable
from streams.core.shapes import Object

_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")
_ANY: Final = msgspec.json.Decoder()


def decoded(item: msgspec.Raw) -> Object:
    """Return an item as an object. Half a surrogate pair, which no UTF-8 can spell, becomes a replacement character."""
    try:
        found = _ANY.decode(item)
    except RecursionError:
        raise Unusable("the item is nested too deeply to read") from None
    except msgspec.DecodeError:
        found = _mended(bytes(item))
    if not isinstance(found, dict):
        raise Unusable("the notification is about nothing: its item is no object; look at what Intercom sent")
    return found


def _mended(item: bytes) -> Any:
    try:
        text = json.dumps(json.loads(item, parse_constant=_refuse), ensure_ascii=False)
        return _ANY.decode(_HALF_PAIR.sub("\ufffd", text))
    except (ValueError, RecursionError):
        raise Unusable("the item is no JSON that can be read; look at what Intercom sent") from None


def _refuse(constant: str) -> None:
    raise ValueError(constant)
