"""What a step has decoded for a key of its batch, kept until the last record of that key: keys repeat, most of all in a replay."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from schemas.message import Message

T = TypeVar("T")


class WorkingSet(Generic[T]):
    """Values by record key. What a batch holds only once is dropped with its records, so memory does not grow with the batch."""

    def __init__(self, records: Sequence[Message]) -> None:
        self._left = Counter(record.key for record in records)
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

    def release(self, records: Sequence[Message]) -> None:
        """Drop the values of keys that have no records beyond these, which are done."""
        left, values = self._left, self._values
        for record in records:
            key = record.key
            left[key] -= 1
            if not left[key]:
                values.pop((key or b"").decode("utf-8", "replace"), None)
