"""A dead letter: the record byte for byte, with headers for where it came from and why it could not be processed."""

import hashlib
from typing import Final, NamedTuple

from schemas.message import Headers, Message, header

TOPIC: Final = "dead.letters"
_PREFIX: Final = "dl_"
_LONGEST_REASON: Final = 500  # characters: room for a sentence and its remedy; the record itself has the rest
_SHORT_VALUE: Final = 64 * 1024  # bytes left of a value that is too large: enough to recognise it
_SHORT_PART: Final = 1024  # … of a key and of a header
_MOST_HEADERS: Final = 100  # … and the number of headers


class DeadLetter(NamedTuple):
    """A record of `dead.letters`."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class DeadLetterOrigin(NamedTuple):
    """Where a dead letter came from and why, as its headers have it."""

    topic: str
    partition: int
    offset: int
    timestamp: int  # the record's own, in milliseconds since 1970
    reason: str
    agent: str


def dead_letter(topic: str, partition: int, record: Message, reason: str, agent: str) -> DeadLetter:
    """Make the dead letter of a record that an agent, or a process, rejected. `topic` is without the configured prefix.

    All headers stay, CloudEvents ones too, so that a redriven record is the same event; only the headers of an earlier rejection
    are replaced. A dead letter follows from its record alone: its timestamp on its own topic is the time of the rejection.
    """
    origin = DeadLetterOrigin(topic, partition, record.offset, record.timestamp, reason[:_LONGEST_REASON], agent)
    added = ((f"{_PREFIX}{name}", str(part).encode("utf-8", "replace")) for name, part in origin._asdict().items())
    return DeadLetter(record.key, record.value, [*original_record(record.headers), *added])


def shortened(record: DeadLetter) -> DeadLetter:
    """Return a dead letter small enough for any topic, for a record that is too large with its `dl_` headers.

    `dl_bytes` and `dl_sha256` describe the value, and `dl_cut` lists the parts that were cut: they are enough to find the
    original record where it came from, and to verify it. Such a dead letter cannot be redriven.
    """
    original = original_record(record.headers)
    headers = [(name[:_SHORT_PART], value[:_SHORT_PART]) for name, value in original[:_MOST_HEADERS]]
    key, value = record.key and record.key[:_SHORT_PART], record.value and record.value[:_SHORT_VALUE]
    parts = {"key": key != record.key, "value": value != record.value, "headers": headers != original}
    description = {
        "cut": ", ".join(part for part, cut in parts.items() if cut),
        "bytes": str(len(record.value or b"")),
        "sha256": hashlib.sha256(record.value or b"").hexdigest(),
    }
    added = [(f"{_PREFIX}{name}", text.encode()) for name, text in description.items()]
    return DeadLetter(key, value, [*headers, *record.headers[len(original) :], *added])


def origin_of(headers: Headers) -> DeadLetterOrigin | None:
    """Return the origin of a dead letter, or None for any other record."""
    topic, partition, offset, timestamp, reason, agent = (
        header(headers, f"{_PREFIX}{name}") for name in DeadLetterOrigin._fields
    )
    if topic is None or partition is None or offset is None or timestamp is None:
        return None
    return DeadLetterOrigin(topic, int(partition), int(offset), int(timestamp), reason or "", agent or "")


def original_record(headers: Headers) -> list[tuple[str, bytes]]:
    """Return the headers that the record had before it became a dead letter."""
    return [(name, value) for name, value in headers if not name.startswith(_PREFIX)]
