"""A value of any stored type with every field filled, made from the type's annotations: a new type needs no sample by hand."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from itertools import count
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from schemas.encoded import held_type
from schemas.profiles.registers import Packed, Registers
from streams.core.records.packing import pack


def nested_types(kind: Any, known: set[type] | None = None) -> Iterator[type]:
    """Yield every class in a type's annotations once, at any depth; what an encoded field holds among them."""
    known = set() if known is None else known
    if get_origin(kind) is Annotated:
        yield from nested_types(held_type(kind), known)
    elif get_origin(kind) is not None:
        for arg in get_args(kind):
            yield from nested_types(arg, known)
    elif isinstance(kind, type) and kind not in known:
        known.add(kind)
        yield kind
        if _has_fields(kind):
            for hint in get_type_hints(kind, include_extras=True).values():
                yield from nested_types(hint, known)


def encoded_fields(kind: Any) -> Iterator[Any]:
    """Yield the annotation of every encoded field in a type, at any depth."""
    for each in nested_types(kind):
        if _has_fields(each):
            hints = get_type_hints(each, include_extras=True).values()
            yield from (hint for hint in hints if held_type(hint) is not None)


def _has_fields(kind: type) -> bool:
    return issubclass(kind, msgspec.Struct) or (issubclass(kind, tuple) and hasattr(kind, "_fields"))


def sample_of(kind: Any) -> Any:
    """Return the sample of a type: always the same, and no two of its texts or numbers are equal."""
    return Sampler().sample(kind, "value")


class Sampler:
    """One walk over a type. Of a union it takes the first alternative, in a collection one entry for each."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def sample(self, kind: Any, name: str) -> Any:
        """Return a value of a type for the field of that name."""
        if kind in _SPECIAL:
            return _SPECIAL[kind](self)
        if kind in _SCALARS:
            return _SCALARS[kind](name, next(self._numbers))
        if get_origin(kind) is Annotated:
            return msgspec.Raw(_encode(self.sample(held_type(kind), name)))
        if get_origin(kind) is not None:
            return self._generic(kind, name)
        if _has_fields(kind):
            return kind(**{field: self.sample(hint, field) for field, hint in get_type_hints(kind, include_extras=True).items()})
        if issubclass(kind, Enum):
            return next(iter(kind))
        raise TypeError(f"{name}: add to {__name__} what a sample of {kind} is")

    def _generic(self, kind: Any, name: str) -> Any:
        origin, args = get_origin(kind), get_args(kind)
        if origin in (Union, UnionType):
            return self.sample(next(arg for arg in args if arg is not NoneType), name)
        if issubclass(origin, Mapping):
            return {self.sample(args[0], name): self.sample(each, name) for each in _alternatives(args[1])}
        if origin is tuple and args[-1] is not Ellipsis:
            return tuple(self.sample(arg, name) for arg in args)
        return origin(self.sample(each, name) for each in _alternatives(args[0]))


def _alternatives(kind: Any) -> Iterator[Any]:
    yield from get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


_encode: Final = msgspec.msgpack.Encoder(order="deterministic").encode

_SCALARS: Final[Mapping[Any, Callable[[str, int], Any]]] = MappingProxyType({
    NoneType: lambda _name, _number: None,
    bool: lambda _name, _number: True,
    int: lambda _name, number: number,
    float: lambda _name, number: number + 0.5,
    str: lambda name, number: f"{name}-{number}",
    bytes: lambda name, number: f"{name}-{number}".encode(),
    Any: lambda name, number: {name: [number, None]},
})  # fmt: skip

_SPECIAL: Final[Mapping[Any, Callable[[Sampler], Any]]] = MappingProxyType({
    Packed: lambda sampler: pack(sampler.sample(Registers, "registers")),  # so that layers have indexes of versions that exist
})  # fmt: skip
