"""PATCH requests that only let users join or leave a group, in the forms that identity providers send.

Groups are large and these requests many: they are answered without the group's whole list of members, which everything else needs.
"""

import re
from typing import Any, Final

_ONE: Final = re.compile(r'members\[\s*value\s+eq\s+"([^"\\]+)"\s*\]', re.IGNORECASE)
_ENTRY: Final = frozenset({"value", "$ref", "type", "display"})


def member_changes(body: Any) -> dict[str, bool] | None:
    """Return who joins (true) or leaves, from a body in the standard's form; None where it asks for anything else."""
    operations = body.get("Operations") if isinstance(body, dict) else None
    if not isinstance(operations, list) or not operations:
        return None
    changes: dict[str, bool] = {}
    for operation in operations:
        ids = _ids(operation)
        if ids is None:
            return None
        changes |= dict.fromkeys(ids, operation["op"].lower() == "add")
    return changes


def _ids(operation: Any) -> list[str] | None:
    if not isinstance(operation, dict) or not isinstance(operation.get("op"), str) or not isinstance(operation.get("path"), str):
        return None
    op, path, value = operation["op"].lower(), operation["path"], operation.get("value")
    if op == "remove" and value is None and (one := _ONE.fullmatch(path)):
        return [one.group(1)]
    if op not in ("add", "remove") or path.lower() != "members":
        return None
    entries = value if isinstance(value, list) else [value]
    if not entries or not all(_names_a_user(entry) for entry in entries):
        return None
    return [entry["value"] for entry in entries if isinstance(entry, dict)]


def _names_a_user(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and _ENTRY.issuperset(entry)
        and isinstance(entry.get("value"), str)
        and bool(entry["value"])
        and entry.get("type") in (None, "User")
    )
