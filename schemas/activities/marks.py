"""What is left of an activity once its details have expired: a mark of 8 bytes, by which it is recognised and counted once.

A mark is the BLAKE2b-64 of the activity's id: it has no content, and nobody can find what it was. Until its conversation is sealed, what
decides counts and times is kept with it, in 5 bytes more, so that whatever comes later gives the same as if it had come before.
Packed marks stand one behind the other in order.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from struct import Struct
from typing import Final, NamedTuple

MARK: Final = 8  # bytes
_TIMES: Final = Struct(">IB")
REMNANT: Final = MARK + _TIMES.size
_LIVE: Final = 8  # the bit behind those of a time basis
_REDACTED: Final = 16
_LATEST: Final = (1 << 32) - 1

Marks = dict[str, bytes]
"""By mark, in hexadecimal digits, what is kept with it."""


class Remnant(NamedTuple):
    """What is known of an expired activity beside its mark: its time in ms, what that is taken from, whether it was live, and whether its words were redacted.

    Words that come after it, from a contact who has not learnt of the redaction yet, would be taken for new ones otherwise.
    """

    time: int
    basis: int
    live: bool
    redacted: bool = False

    def packed(self) -> bytes:
        second = min(max(self.time // 1000, 0), _LATEST)
        return _TIMES.pack(second, self.basis | (_LIVE if self.live else 0) | (_REDACTED if self.redacted else 0))

    @classmethod
    def of(cls, data: bytes) -> "Remnant":
        second, flags = _TIMES.unpack(data)
        return cls(second * 1000, flags & ~(_LIVE | _REDACTED), bool(flags & _LIVE), bool(flags & _REDACTED))


def mark_of(activity: str) -> str:
    """Return the mark of an activity, given its id."""
    return blake2b(activity.encode(), digest_size=MARK).hexdigest()


def pack(marks: Mapping[str, bytes]) -> bytes:
    """Return marks, and what is kept with each, as bytes."""
    return b"".join(bytes.fromhex(mark) + marks[mark] for mark in sorted(marks))


def pack_alone(marks: Iterable[str]) -> bytes:
    """Return marks alone as bytes."""
    return bytes.fromhex("".join(sorted(marks)))


def unpack(data: bytes, width: int) -> Marks:
    """Return packed marks of so many bytes each."""
    return {data[at : at + MARK].hex(): data[at + MARK : at + width] for at in range(0, len(data), width)}


def find(data: bytes, mark: str, width: int) -> bytes | None:
    """Return what is kept with a mark among packed ones, None where it is not among them."""
    wanted, at = bytes.fromhex(mark), -1
    while (at := data.find(wanted, at + 1)) >= 0:
        if at % width == 0:
            return data[at + MARK : at + width]
    return None
