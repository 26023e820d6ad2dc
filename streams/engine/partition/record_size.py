"""Whether a record can be written at all.

A broker refuses a record that is too large only when it receives it, together with all others of its transaction. Measured where
it is made, it is the fault of one input record, which can be named and set aside.
"""

from itertools import chain

import cramjam

from connectors.kafka.settings import DEAD_LETTER_ROOM, MAX_RECORD_BYTES
from schemas.message import Headers

OutputRecord = tuple[str, bytes | None, bytes | None, Headers, int | None]
"""A record to send: topic, key, value, headers and, where it is given, the partition."""

LARGEST_RECORD = MAX_RECORD_BYTES
LARGEST_DEAD_LETTER = MAX_RECORD_BYTES + DEAD_LETTER_ROOM
_BATCH_OVERHEAD = 61 + 64  # bytes: the head of a batch, and at most what surrounds its one record
ALWAYS_FITS = LARGEST_RECORD - _BATCH_OVERHEAD  # bytes of key and value that fit uncompressed: the usual case saves a call
_HEADER_OVERHEAD = 10  # bytes: at most what surrounds a header
_MAX_EXPANSION = 4  # times: the memory that readers need for a record that fits only compressed


def fits(key: bytes | None, value: bytes | None, headers: Headers = (), *, largest: int = LARGEST_RECORD) -> bool:
    """Say whether a record is at most this large in a batch of its own, compressed if necessary."""
    size = _BATCH_OVERHEAD + len(key or b"") + len(value or b"")
    size += _HEADER_OVERHEAD * len(headers) + sum(map(len, chain.from_iterable(headers)))
    return size <= largest or (size <= largest * _MAX_EXPANSION and _compressed(key, value, headers) <= largest)


def _compressed(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """Measure the record as the producer compresses it: a record of this size has a batch of its own."""
    parts = [key or b"", value or b"", *(name.encode() + content for name, content in headers)]
    return len(cramjam.zstd.compress(b"".join(parts))) + _BATCH_OVERHEAD + _HEADER_OVERHEAD * len(headers)
