"""A group of a table in two generations."""

from collections.abc import Mapping
from typing import Any

import msgspec


class GroupRows(msgspec.Struct, frozen=True):
    """A group's rows by item: of the live table, and of the rebuilt one."""

    group: str
    live: Mapping[str, Any]
    rebuilt: Mapping[str, Any]
