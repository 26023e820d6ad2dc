"""Encoded fields: a part of a struct that stays MessagePack inside it, to be passed on and compared without being decoded.

    EncodedRegisters = Annotated[msgspec.Raw, holds(Packed)]

A reader of the part decodes it (`streams.core.records.packing.decode`, `schemas.access.facts.decode_raw`). Tools that show any
row find its type by `held_type`.
"""

from typing import Annotated, Any, Final, get_args, get_origin

import msgspec

_HOLDS: Final = "holds"
NIL: Final = msgspec.Raw(msgspec.msgpack.encode(None))
"""The encoded None."""


def holds(kind: Any) -> msgspec.Meta:
    """Return the annotation of a `msgspec.Raw` that has a value of this type in it."""
    return msgspec.Meta(extra={_HOLDS: kind})


def held_type(hint: Any) -> Any | None:
    """Return the type of the value in an encoded field, given the field's annotation; None for other fields."""
    if get_origin(hint) is not Annotated:
        return None
    _, *annotations = get_args(hint)
    extras = (annotation.extra or {} for annotation in annotations if isinstance(annotation, msgspec.Meta))
    return next((extra[_HOLDS] for extra in extras if _HOLDS in extra), None)
