"""Forms that identity providers send and the standard does not have, rewritten to its own before anything is validated.

Case of operations, texts for truth values, and paths as keys of a value without a path are understood by the SCIM library already.
"""

from collections.abc import Iterator
from typing import Any, Final

_MANAGER: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:manager"


def standard_patch(body: Any) -> Any:
    """Return the body of a PATCH request in the standard's form; anything that is none is returned as it is, to be refused."""
    if not isinstance(body, dict):
        return body
    named = {"Operations" if name.lower() == "operations" else name: value for name, value in body.items()}
    return {name: _operations(value) if name == "Operations" else value for name, value in named.items()}


def _operations(operations: Any) -> Any:
    if not isinstance(operations, list):
        return operations
    return [standard for operation in operations for standard in _standard(operation)]


def _standard(operation: Any) -> Iterator[Any]:
    """Yield the operation, and one of its own for each key that is a path with a filter: Entra sends them without a path."""
    if not isinstance(operation, dict):
        yield operation
        return
    members = {name.lower(): value for name, value in operation.items() if isinstance(name, str)}
    op, path, value = members.get("op"), members.get("path"), members.get("value")
    if path in (None, "") and isinstance(value, dict):
        filtered = {key: part for key, part in value.items() if "[" in key}
        plain = {key: _plain(key, part) for key, part in value.items() if key not in filtered}
        if plain or not filtered:
            yield {"op": op, "value": plain}
        for key, part in filtered.items():
            yield {"op": op, "path": key, "value": part}
        return
    if isinstance(path, str) and "value" in members:
        members["value"] = _plain(path, value)
    yield members


def _plain(path: str, value: Any) -> Any:
    """Return a manager as the standard's object: Entra sends the id alone, or the object in a list."""
    if not path.lower().replace("user.manager", "user:manager").endswith((_MANAGER, "user:manager")):
        return value
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return {"value": value} if isinstance(value, str) and value else value
