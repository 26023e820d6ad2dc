"""An agent without Kafka: a table in memory and an outbox that is a list. For histories, previews and oracles."""

from collections import Counter
from typing import Generic, NamedTuple, TypeVar

from schemas.message import Headers
from schemas.versioned import ENCODING
from streams.engine.agent import Codec, MakeValue
from streams.engine.partition.table_view import TableView
from streams.engine.tables.store import MemoryStore

T = TypeVar("T")


class SentRecord(NamedTuple):
    """One record of an outbox."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int | None


class ListOutbox:
    """Keep records in the order in which they were sent, and behind them the latest values of compacted topics."""

    def __init__(self) -> None:
        self._sent: list[SentRecord] = []
        self._latest: dict[tuple[str, str], MakeValue] = {}
        self.encoding = ENCODING
        self.notes: Counter[str] = Counter()

    @property
    def sent(self) -> list[SentRecord]:
        """Return what one transaction would write, once the step has ended."""
        for (topic, key), make in self._latest.items():
            self.send(topic, key, *make())
        self._latest.clear()
        return self._sent

    def send(
        self, topic: str, key: str | bytes | None, value: bytes | None, headers: Headers = (), *, partition: int | None = None
    ) -> None:
        self._sent.append(SentRecord(topic, key.encode() if isinstance(key, str) else key, value, headers, partition))

    def send_latest(self, topic: str, key: str, make: MakeValue) -> None:
        self._latest[topic, key] = make

    def note(self, name: str) -> None:
        self.notes[name] += 1


class MemoryTable(TableView[T], Generic[T]):
    """A whole table in memory. `commit` makes changes permanent; `rows` are all committed values by key, as bytes."""

    def __init__(self, codec: Codec[T]) -> None:
        self.store = MemoryStore()
        self._own_codec = codec
        super().__init__(self.store, codec)

    def commit(self) -> dict[str, bytes | None]:
        """Merge the changes into the store, as the engine does after a transaction, and return them."""
        changes = self.changes()
        self.store.apply(changes)
        super().__init__(self.store, self._own_codec)
        return changes

    def rows(self) -> dict[str, bytes]:
        """Return all committed values by key, in key order."""
        return dict(sorted(self.store.items()))
