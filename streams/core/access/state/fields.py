"""Fields that sources assert, as registers by the source's time: a field that a fact does not carry keeps its value."""

from collections.abc import Mapping
from typing import Any

from streams.core.access.state.values import FieldRegister


def with_asserted(
    fields: Mapping[str, FieldRegister], values: Mapping[str, Any], time: int, fact: str
) -> dict[str, FieldRegister]:
    """Return the fields after a fact asserted values at that time. The later assertion wins; at the same time, the greater fact id."""
    merged = dict(fields)
    for name, asserted in values.items():
        before = merged.get(name)
        if before is None:
            merged[name] = FieldRegister(asserted, time, fact, time)
        elif (time, fact) > (before.time, before.fact):
            merged[name] = FieldRegister(asserted, time, fact, before.since if asserted == before.value else time)
    return merged if len(merged) == len(fields) else dict(sorted(merged.items()))


def value(fields: Mapping[str, FieldRegister], name: str) -> Any:
    """Return the value of a field, or None where no source ever asserted it."""
    register = fields.get(name)
    return None if register is None else register.value
