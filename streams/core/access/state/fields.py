"""Fields that sources assert, as registers by the source's time: a field that a fact does not carry is not touched by it."""

from collections.abc import Mapping
from typing import Any

from streams.core.access.state.rows import Field


def asserted(fields: Mapping[str, Field], said: Mapping[str, Any], time: int, fact: str) -> dict[str, Field]:
    """Return the fields after a fact said these values at that time. The later assertion wins; at the same time, the greater id."""
    merged = dict(fields)
    for name, value in said.items():
        before = merged.get(name)
        if before is None:
            merged[name] = Field(value, time, fact, time)
        elif (time, fact) > (before.time, before.fact):
            merged[name] = Field(value, time, fact, before.since if value == before.value else time)
    return dict(sorted(merged.items()))


def value(fields: Mapping[str, Field], name: str) -> Any:
    """Return what a field holds, or None where nobody ever said."""
    found = fields.get(name)
    return None if found is None else found.value
