"""All types that an activity can have, for those who name one. A statistic of a kind that is not in the table is `content_stat.other`."""

from typing import Final

from streams.core.activities.conversations import PART_TYPES
from streams.core.activities.rules import NoActivity
from streams.core.activities.table import OTHER_TYPES, TABLE

TYPES: Final = frozenset({*PART_TYPES, *OTHER_TYPES, *(rule.type for rule in TABLE.values() if not isinstance(rule, NoActivity))})


def is_type(name: str) -> bool:
    """Return whether an activity can have that type."""
    return name in TYPES
