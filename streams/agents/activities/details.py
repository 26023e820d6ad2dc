"""The details of a contact's activities: a row for each, `a|conversation|mark`, until they expire."""

from collections.abc import Iterator

from schemas.activities.marks import mark_of
from schemas.activities.messages import ActivityTableRow, ContactActivityRow
from schemas.activities.records import PersonActivity
from streams.agents.activities.due import set_due
from streams.core.activities.limits import RetentionLimits
from streams.engine.agent import Table

PREFIX = "a|"


def item_of(activity: PersonActivity) -> str:
    """Return the item of an activity's row."""
    return f"{PREFIX}{activity.conversation}|{mark_of(activity.id)}"


class Details:
    """The rows of one contact's activities."""

    def __init__(self, key: str, table: Table[ActivityTableRow], limits: RetentionLimits) -> None:
        self._key = key
        self._table = table
        self._limits = limits

    def get(self, item: str) -> PersonActivity | None:
        row = self._table.get(self._key, item)
        return row.activity if isinstance(row, ContactActivityRow) else None

    def put(self, item: str, activity: PersonActivity) -> None:
        """Put an activity, and have the contact looked at when it expires."""
        self._table.put(self._key, item, ContactActivityRow(activity))
        set_due(self._key, self._limits.expires(activity.type, activity.time), self._table)

    def delete(self, item: str) -> None:
        self._table.delete(self._key, item)

    def walk(self, conversation: str | None = None, after: str = "") -> Iterator[tuple[str, PersonActivity]]:
        """Yield activities beyond an item, of one conversation or all, with their items."""
        prefix = PREFIX if conversation is None else f"{PREFIX}{conversation}|"
        for item, row in self._table.walk(self._key, after or prefix):
            if not item.startswith(prefix):
                return
            if isinstance(row, ContactActivityRow):
                yield item, row.activity

    def of(self, conversation: str) -> Iterator[PersonActivity]:
        """Yield the activities of a conversation."""
        return (activity for _, activity in self.walk(conversation))
