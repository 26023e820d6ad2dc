"""The topics of access, to be read partition by partition: from Kafka, or from files without any broker.

To verify the ledger, or to make it again, several topics are read side by side, each as far as the others need it. So a log gives each
partition by itself, some records at a time.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, Protocol

from schemas.access import facts
from schemas.message import Message

FACTS: Final = facts.TOPIC
FINDINGS: Final = "access.violations"
FINDINGS_JSON: Final = "access.violations.json"
STATE: Final = "access.state"
LEDGER: Final = "access.ledger"


class AccessLog(Protocol):
    """The records of some topics of access. `settled` says where a topic's partitions ended before the ledger's end was looked up."""

    def partitions(self, topic: str) -> Sequence[int]:
        """Return the partitions of a topic in order, none where the log does not have it."""

    def read(self, topic: str, partition: int) -> AsyncIterator[Sequence[Message]]:
        """Yield the records of a partition in order, some at a time."""

    def settled(self, topic: str) -> Mapping[int, int]:
        """Return, by partition, the offset below which the ledger has all that follows; none where that is not known."""


class MemoryLog:
    """A log in memory, for histories of tests. Records are by topic and partition."""

    def __init__(self, records: Mapping[str, Mapping[int, Sequence[Message]]], *, at_a_time: int = 500) -> None:
        self._records = records
        self._at_a_time = at_a_time

    def partitions(self, topic: str) -> Sequence[int]:
        return sorted(self._records.get(topic, {}))

    async def read(self, topic: str, partition: int) -> AsyncIterator[Sequence[Message]]:
        records = self._records[topic][partition]
        for start in range(0, len(records), self._at_a_time):
            yield records[start : start + self._at_a_time]

    def settled(self, topic: str) -> Mapping[int, int]:
        return {}
