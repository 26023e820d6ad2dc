"""When a contact's details have to be looked at: an index of the partition by day, and the same day beside the contact.

A day is the one on which the first detail expires, or an earlier one: it is put when details come, and found again when they are looked at.
"""

from collections.abc import Iterator
from typing import Final

from schemas.activities.messages import ActivityTableRow, DueRow
from streams.engine.agent import Table

INDEX: Final = "*due"
"""The group of the index, `day|contact`; no contact's key begins with an asterisk."""

CONTACTS: Final = "*contacts"
"""The group of all contacts with details: a walk over them meets each, also one whose day changes meanwhile."""

_ITEM: Final = "d"
_DIGITS: Final = 6


def set_due(key: str, day: int, table: Table[ActivityTableRow]) -> None:
    """Have a contact looked at on that day, unless it is on an earlier one."""
    row = table.get(key, _ITEM)
    if isinstance(row, DueRow):
        if row.day <= day:
            return
        table.delete(INDEX, _index(row.day, key))
    elif table.get(CONTACTS, key) is None:
        table.put(CONTACTS, key, DueRow(0))
    table.put(key, _ITEM, DueRow(day))
    table.put(INDEX, _index(day, key), DueRow(day))


def take_due(key: str, table: Table[ActivityTableRow]) -> None:
    """Take a contact off the index, before it is looked at."""
    row = table.get(key, _ITEM)
    if isinstance(row, DueRow):
        table.delete(INDEX, _index(row.day, key))
        table.delete(key, _ITEM)


def forget_due(key: str, table: Table[ActivityTableRow]) -> None:
    """Forget a contact that has no details any more."""
    take_due(key, table)
    table.delete(CONTACTS, key)


def first_due(table: Table[ActivityTableRow], day: int) -> str | None:
    """Return a contact that is due on that day or was before."""
    item = next((item for item, _ in table.walk(INDEX)), None)
    if item is None or int(item[:_DIGITS]) > day:
        return None
    return item.partition("|")[2]


def all_due(table: Table[ActivityTableRow], after: str) -> Iterator[str]:
    """Yield all contacts with details beyond one, in order."""
    return (key for key, _ in table.walk(CONTACTS, after))


def _index(day: int, key: str) -> str:
    return f"{day:0{_DIGITS}d}|{key}"
