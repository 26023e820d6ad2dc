"""Values of internal topics and tables as bytes: one byte with the number of the encoding, then MessagePack.

The numbers belong to the product, not to one type: a release that changes the bytes of any of these types raises `ENCODING`, and
the types that changed take that number. Every release reads its own number and all earlier ones, since a row that is never
updated keeps its bytes. The encoding to write is chosen per partition (`streams.engine.encodings`), so that workers can be
replaced one at a time.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

from msgspec import DecodeError
from msgspec.msgpack import Decoder, Encoder

from schemas.errors import InvalidRecord, MustStop

T = TypeVar("T")
P = TypeVar("P")

ENCODING: Final = 1
"""The newest encoding this release knows. Raise it with the first type that changes after a release.

`tests/streams/agents/test_encodings.py` fails until that is done.
"""

OLDEST: Final = 1
"""The encoding that every release reads."""

HIGHEST: Final = 30
"""The highest number of an encoding: as first bytes, framed Avro has 0, gzip 31, and texts higher ones."""

JSON_BLANKS: Final = b"\t\n\r"
"""Numbers that no encoding has: JSON may begin with these."""


class EncodingTarget(Protocol):
    """The part of a step's outbox that its encoding depends on (`streams.engine.agent.Outbox`)."""

    encoding: int


class PreviousVersion(Generic[P, T]):
    """A type before a change: its codec, and the conversions to and from the new type; `downgrade` may lose fields."""

    def __init__(self, codec: "Versioned[P]", upgrade: Callable[[P], T], downgrade: Callable[[T], P]) -> None:
        self.codec = codec
        self._upgrade = upgrade
        self._downgrade = downgrade

    def decode(self, data: bytes) -> T:
        return self._upgrade(self.codec.decode(data))

    def encode(self, value: T, encoding: int) -> bytes:
        return self.codec.encode(self._downgrade(value), encoding)


class Versioned(Generic[T]):
    """The codec of one type, unchanged since encoding `since`."""

    since: int
    before: PreviousVersion[Any, T] | None

    def __init__(self, value_type: type[T], since: int = 1, before: PreviousVersion[Any, T] | None = None) -> None:
        if not 1 <= since <= HIGHEST or since in JSON_BLANKS:
            raise ValueError(f"an encoding is 1 to {HIGHEST} and no blank of JSON, not {since}")
        if before is not None and before.codec.since >= since:
            raise ValueError(f"what was before encoding {since} cannot be of encoding {before.codec.since}")
        self.value_type = value_type
        self.since = since
        self.before = before
        self._prefix = bytes([since])
        self._encoder = Encoder()
        self._decoder = Decoder(value_type)

    def encode(self, value: T, encoding: int = HIGHEST) -> bytes:
        """Return the bytes in the newest encoding up to that number; in the type's first one where the type is newer.

        Equal values with the same order of keys and fields give equal bytes.
        """
        if encoding < self.since and self.before is not None:
            return self.before.encode(value, encoding)
        return self._prefix + self._encoder.encode(value)

    def encoder(self, encoding: int) -> Callable[[T], bytes]:
        """Return what encodes values in that encoding, for many of them."""
        if encoding < self.since and self.before is not None:
            return partial(self.encode, encoding=encoding)
        prefix, encode = self._prefix, self._encoder.encode
        return lambda value: prefix + encode(value)

    def decode(self, data: bytes) -> T:
        """Return the value. Raises MustStop for a newer release's encoding, InvalidRecord for other bytes."""
        if not data:
            raise InvalidRecord(f"an empty value is no {self.value_type.__name__}")
        if data[0] == self.since:
            try:
                return self._decoder.decode(memoryview(data)[1:])
            except DecodeError as error:  # its text has the path and the types, never the value
                raise InvalidRecord(f"a {self.value_type.__name__} of encoding {data[0]} cannot be read: {error}") from error
        if 0 < data[0] < self.since and self.before is not None:
            return self.before.decode(data)
        if self.since < data[0] <= HIGHEST:
            raise newer_encoding(f"a {self.value_type.__name__}", data[0], max(self.since, ENCODING))
        raise InvalidRecord(f"this is no {self.value_type.__name__}: no release of ours begins one with byte {data[0]}")

    def receive(self, data: bytes, out: EncodingTarget) -> T:
        """Return the value of a record; results are then written in no older encoding, which might lose a part of it."""
        value = self.decode(data)
        out.encoding = max(out.encoding, data[0])
        return value


def newer_encoding(what: str, encoding: int, known: int) -> MustStop:
    """Return the error for data of a newer release: only that release can continue; this one would misread or lose it."""
    return MustStop(
        f"{what} is in encoding {encoding} and this release knows {known}: a newer release wrote it. Nothing of it was touched. "
        "Start this worker with that release; workers that have it go on meanwhile."
    )
