"""A Kafka record as agents and readers use it, whichever client fetched it."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

Headers = Sequence[tuple[str, bytes]]


class Message(Protocol):
    """The attributes of a Kafka record that are used: aiokafka's records have them, so none are copied on the hot path."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970: append time on LogAppendTime topics, the producer's time elsewhere."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


class RecordValue(NamedTuple):
    """A record that was not fetched from Kafka: histories in tests, replays from files."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    offset: int = 0
    timestamp: int = 0


TRACE_PARENT: Final = "traceparent"
"""The header of W3C Trace Context."""


def header(headers: Headers, name: str) -> str | None:
    """Return the last header of that name as text, or None: a later header overrides an earlier one."""
    last = dict(headers).get(name)
    return None if last is None else last.decode("utf-8", "replace")


def header_texts(headers: Headers, *names: str) -> list[str | None]:
    """Return the same for several names: the headers of a record are looked through once."""
    last = dict(headers)
    return [None if (value := last.get(name)) is None else value.decode("utf-8", "replace") for name in names]
