"""What a step has decoded for the keys of a chunk, so that records of one key decode it once."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from schemas.message import Message

T = TypeVar("T")


class WorkingSet(Generic[T]):
    """Values by record key. `Batch.chunks` has the records of a key one behind the other, so few values are held at a time."""

    def __init__(self) -> None:
        self._values: dict[str, T] = {}

    def get(self, key: str, load: Callable[[str], T]) -> T:
        """Return the key's value, loaded at its first use."""
        value = self._values.get(key)
        if value is None:
            value = self._values[key] = load(key)
        return value

    def put(self, key: str, value: T) -> None:
        """Change the key's value."""
        self._values[key] = value

    def end_chunk(self, records: Sequence[Message]) -> None:
        """Drop all values but that of the chunk's last key, which may have further records."""
        last = (records[-1].key or b"").decode("utf-8", "replace")
        self._values = {key: value for key, value in self._values.items() if key == last}
