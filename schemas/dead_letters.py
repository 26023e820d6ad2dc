"""A dead letter: the record as it was, byte for byte, with headers that say where it lay and why nobody could use it."""

import hashlib
from typing import Final, NamedTuple

from schemas.message import Headers, Message, header

TOPIC: Final = "dead.letters"
_PREFIX = "dl_"
_LONGEST_REASON = 500  # characters: room for a sentence and its remedy; the record itself has the rest
_SHORT_VALUE = 64 * 1024  # bytes of a value that are kept where all of it is too much: enough to see what it was
_SHORT_PART = 1024  # … of a key and of a header
_MOST_HEADERS = 100  # … and so many headers


class DeadLetter(NamedTuple):
    """What is sent to `dead.letters`."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class DeadLetterOrigin(NamedTuple):
    """Where a dead letter came from and why, read back from its headers."""

    topic: str
    partition: int
    offset: int
    timestamp: int  # the record's own, in milliseconds since 1970
    reason: str
    agent: str


def dead_letter(topic: str, partition: int, record: Message, reason: str, agent: str) -> DeadLetter:
    """Make the dead letter of a record. `topic` is without the configured prefix; `agent` is whoever gave up.

    All headers stay, CloudEvents ones too, so a letter brought back is the same event; only an earlier death's are replaced. A letter
    follows from its record alone: when it was given up is the letter's own timestamp on its topic.
    """
    said = DeadLetterOrigin(topic, partition, record.offset, record.timestamp, reason[:_LONGEST_REASON], agent)
    added = ((f"{_PREFIX}{name}", str(part).encode("utf-8", "replace")) for name, part in said._asdict().items())
    return DeadLetter(record.key, record.value, [*original_record(record.headers), *added])


def shortened(letter: DeadLetter) -> DeadLetter:
    """Return a letter small enough for any topic, for a record that no longer fits with its `dl_` headers around it.

    `dl_bytes` and `dl_sha256` say what the value was, and `dl_cut` which parts are not whole: with them the record is found, and known
    to be the one, where it came from. Such a letter cannot be brought back.
    """
    kept = original_record(letter.headers)
    short = [(name[:_SHORT_PART], value[:_SHORT_PART]) for name, value in kept[:_MOST_HEADERS]]
    key, value = letter.key and letter.key[:_SHORT_PART], letter.value and letter.value[:_SHORT_VALUE]
    parts = {"key": key != letter.key, "value": value != letter.value, "headers": short != kept}
    said = {
        "cut": ", ".join(part for part, cut in parts.items() if cut),
        "bytes": str(len(letter.value or b"")),
        "sha256": hashlib.sha256(letter.value or b"").hexdigest(),
    }
    added = [(f"{_PREFIX}{name}", text.encode()) for name, text in said.items()]
    return DeadLetter(key, value, [*short, *letter.headers[len(kept) :], *added])


def origin_of(headers: Headers) -> DeadLetterOrigin | None:
    """Read where a dead letter came from, or None for a record that is none."""
    topic, partition, offset, timestamp, reason, agent = (
        header(headers, f"{_PREFIX}{name}") for name in DeadLetterOrigin._fields
    )
    if topic is None or partition is None or offset is None or timestamp is None:
        return None
    return DeadLetterOrigin(topic, int(partition), int(offset), int(timestamp), reason or "", agent or "")


def original_record(headers: Headers) -> list[tuple[str, bytes]]:
    """Return the headers as they were before the record died."""
    return [(name, value) for name, value in headers if not name.startswith(_PREFIX)]
