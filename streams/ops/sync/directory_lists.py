"""Lists for the directory are read every few minutes, and written only when they have changed: their topic is kept without end."""

from collections.abc import Sequence

from connectors.kafka.transaction import TopicRecord
from schemas.canonical import digest
from schemas.directory.lists import TOPIC
from schemas.message import header


class DirectoryLists:
    """The lists that this process wrote last, by workspace and kind. The first one after a start is always written."""

    def __init__(self) -> None:
        self._written: dict[tuple[bytes | None, str], str] = {}

    def changed(self, records: Sequence[TopicRecord]) -> list[TopicRecord]:
        """Return the records of a reading without those of lists that are as they were."""
        lists: dict[tuple[bytes | None, str], list[TopicRecord]] = {}
        for record in records:
            if record.topic == TOPIC:
                lists.setdefault((record.key, header(record.headers, "ce_type") or ""), []).append(record)
        found = {place: digest(b"\n".join(each.value or b"" for each in parts)) for place, parts in lists.items()}
        same = {id(each) for place, parts in lists.items() if self._written.get(place) == found[place] for each in parts}
        self._written |= found
        return [record for record in records if id(record) not in same]

    def forget(self, app_id: str) -> None:
        """Have the next lists of a workspace written in any case: whether the last ones were is not known."""
        self._written = {place: each for place, each in self._written.items() if place[0] != app_id.encode()}
