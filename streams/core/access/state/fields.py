"""Fields that sources assert, as registers by the source's time: a field that a fact does not carry is not touched by it."""

from collections.abc import Mapping
from typing import Any

from streams.core.access.state.rows import FieldRegister


def with_asserted(fields: Mapping[str, FieldRegister], said: Mapping[str, Any], time: int, fact: str) -> dict[str, FieldRegister]:
    """Return the fields after a fact said these values at that time. The later assertion wins; at the same time, the greater id."""
    merged = dict(fields)
    for name, value in said.items():
        before = merged.get(name)
        if before is None:
            merged[name] = FieldRegister(value, time, fact, time)
        elif (time, fact) > (before.time, before.fact):
            merged[name] = FieldRegister(value, time, fact, before.since if value == before.value else time)
    return dict(sorted(merged.items()))


def value(fields: Mapping[str, FieldRegister], name: str) -> Any:
    """Return what a field holds, or None where nobody ever said."""
    found = fields.get(name)
    return None if found is None else found.value
