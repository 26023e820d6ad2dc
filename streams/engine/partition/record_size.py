"""Whether a record can be written at all.

A broker refuses one that is too large only when it has it, together with all others of its transaction. Measured where it is made, it
is the fault of one input record, which can be named and set aside.
"""

import cramjam

from connectors.kafka.settings import DEAD_LETTER_ROOM, MAX_RECORD_BYTES
from schemas.message import Headers

LARGEST_RECORD = MAX_RECORD_BYTES
LARGEST_DEAD_LETTER = MAX_RECORD_BYTES + DEAD_LETTER_ROOM
_BATCH = 61 + 64  # bytes: the head of a batch, and around its one record at most
PLAIN = LARGEST_RECORD - _BATCH  # bytes of key and value that fit for certain: the usual case is not worth a call
_HEADER = 10  # bytes: around a header at most
_INFLATED = 4  # times: what readers have to hold of a record that is small only as long as it is packed


def fits(key: bytes | None, value: bytes | None, headers: Headers = (), *, largest: int = LARGEST_RECORD) -> bool:
    """Say whether a record is at most so large in a batch of its own, packed if that is what it takes."""
    size = _BATCH + len(key or b"") + len(value or b"")
    for name, content in headers:
        size += _HEADER + len(name) + len(content)
    return size <= largest or (size <= largest * _INFLATED and _packed(key, value, headers) <= largest)


def _packed(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """Measure it as the producer packs it: a record so large has a batch of its own."""
    parts = [key or b"", value or b"", *(name.encode() + content for name, content in headers)]
    return len(cramjam.zstd.compress(b"".join(parts))) + _BATCH + _HEADER * len(headers)
