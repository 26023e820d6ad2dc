"""How people read a value of a profile: as JSON, and a time as a date."""

from functools import cache
from typing import Any

from schemas.catalogue import shipped
from schemas.cloudevents import timestamp
from schemas.json_lines import json_line
from schemas.profiles.identity import ORG, PERSON


def shown_value(field: str, value: Any) -> str:
    """Return a value of a public field as text."""
    return timestamp(value) if isinstance(value, int) and field in _times() else json_line(value).decode()


@cache  # the schemas are part of the release
def _times() -> frozenset[str]:
    fields = [field for kind in (PERSON, ORG) for field in shipped().current[kind].definition["fields"]]
    return frozenset(field["name"] for field in fields if "timestamp-millis" in str(field["type"]))
