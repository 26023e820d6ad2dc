"""A dead letter: the record as it was, byte for byte, with headers that say where it lay and why nobody could use it."""

from typing import Final, NamedTuple

from schemas.message import Headers, Record, header

TOPIC: Final = "dead.letters"
_PREFIX = "dl_"
_LONGEST_REASON = 500  # characters: room for a sentence and its remedy; the record itself has the rest


class DeadLetter(NamedTuple):
    """What is sent to `dead.letters`."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Origin(NamedTuple):
    """Where a dead letter came from and why, read back from its headers."""

    topic: str
    partition: int
    offset: int
    timestamp: int  # the record's own, in milliseconds since 1970
    reason: str
    agent: str


def dead_letter(topic: str, partition: int, record: Record, reason: str, agent: str) -> DeadLetter:
    """Make the dead letter of a record. `topic` is without the configured prefix; `agent` is whoever gave up.

    All headers stay, CloudEvents ones too, so a letter brought back is the same event; only an earlier death's are replaced. A letter
    follows from its record alone: when it was given up is the letter's own timestamp on its topic.
    """
    said = Origin(topic, partition, record.offset, record.timestamp, reason[:_LONGEST_REASON], agent)
    added = ((f"{_PREFIX}{name}", str(part).encode("utf-8", "replace")) for name, part in said._asdict().items())
    return DeadLetter(record.key, record.value, [*revived(record.headers), *added])


def origin(headers: Headers) -> Origin | None:
    """Read where a dead letter came from, or None for a record that is none."""
    topic, partition, offset, timestamp, reason, agent = (header(headers, f"{_PREFIX}{name}") for name in Origin._fields)
    if topic is None or partition is None or offset is None or timestamp is None:
        return None
    return Origin(topic, int(partition), int(offset), int(timestamp), reason or "", agent or "")


def revived(headers: Headers) -> list[tuple[str, bytes]]:
    """Return the headers as they were before the record died."""
    return [(name, value) for name, value in headers if not name.startswith(_PREFIX)]
