"""The work, shared by all hand-written loops: the value stored for a key, and the record sent for an event."""

from typing import Any

import msgspec

decode = msgspec.json.Decoder().decode  # to plain dictionaries, as every rival does
encode = msgspec.json.Encoder().encode


def counted(before: dict[str, Any] | None, event: dict[str, Any]) -> dict[str, Any]:
    """Return the new value of the event's key."""
    return {"n": before["n"] + 1 if before else 1, "last": event}


def output(n: int, event: dict[str, Any]) -> bytes:
    """Return the record sent for an event."""
    return encode({"id": event["id"], "n": n, "kind": event["kind"]})
