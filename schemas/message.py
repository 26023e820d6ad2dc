"""A record as every agent and reader sees it, whatever client fetched it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

Headers = Sequence[tuple[str, bytes]]


class Message(Protocol):
    """What is read of a Kafka record: aiokafka's own objects satisfy this, so none are copied on the hot path."""

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
    """A record made by hand: histories in tests, replays from files."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    offset: int = 0
    timestamp: int = 0


def header(headers: Headers, name: str) -> str | None:
    """Return the last header of that name as text, or None: a later header overrules an earlier one."""
    found: bytes | None = None
    for key, value in headers:
        if key == name:
            found = value
    return None if found is None else found.decode("utf-8", "replace")
