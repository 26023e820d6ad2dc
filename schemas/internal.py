"""Values of internal topics and tables as bytes: one version byte, then MessagePack.

A release reads its own version and the one before, so workers can be replaced one at a time; nothing else reads these bytes.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import DecodeError
from msgspec.msgpack import Decoder, Encoder

from schemas.errors import MustStop, Unusable

T = TypeVar("T")
P = TypeVar("P")

_HIGHEST = 255  # one byte; version 0 is left out so that a framed Avro value is never taken for one of these


class Before(Generic[P, T]):
    """The version before: its type, and how a value of it becomes one of now."""

    def __init__(self, kind: type[P], upgrade: Callable[[P], T]) -> None:
        self._decoder = Decoder(kind)
        self._upgrade = upgrade

    def decode(self, data: bytes | memoryview) -> T:
        return self._upgrade(self._decoder.decode(data))


class Versioned(Generic[T]):
    """The codec of one type at one version."""

    def __init__(self, kind: type[T], version: int = 1, previous: Before[P, T] | None = None) -> None:
        if not 1 <= version <= _HIGHEST:
            raise ValueError(f"a version is 1 to {_HIGHEST}, not {version}")
        if previous is not None and version == 1:
            raise ValueError("version 1 has none before it")
        self._name = kind.__name__
        self._version = version
        self._prefix = bytes([version])
        self._encoder = Encoder()
        self._decoder = Decoder(kind)
        self._previous = previous

    def encode(self, value: T) -> bytes:
        """Return the bytes; equal values with equal order of keys and fields give equal bytes."""
        return self._prefix + self._encoder.encode(value)

    def decode(self, data: bytes) -> T:
        """Return the value. Raises MustStop for another release's version, Unusable for bytes that are no such value."""
        if not data:
            raise Unusable(f"an empty value is no {self._name}")
        try:
            if data[0] == self._version:
                return self._decoder.decode(memoryview(data)[1:])
            if self._previous is not None and data[0] == self._version - 1:
                return self._previous.decode(memoryview(data)[1:])
        except DecodeError as error:  # its text names the place and the types, never the value
            raise Unusable(f"a {self._name} of version {data[0]} cannot be read: {error}") from error
        raise MustStop(self._foreign(data[0]))

    def _foreign(self, version: int) -> str:
        if version > self._version:
            return (
                f"a {self._name} has version {version} and this release knows {self._version}: a newer release wrote it. "
                "Go back to that release; only one version at a time can be undone."
            )
        return (
            f"a {self._name} has version {version} and this release reads {self._version}"
            f"{f' and {self._version - 1}' if self._previous else ''}: it is too old. Upgrade one release at a time, or rebuild."
        )
