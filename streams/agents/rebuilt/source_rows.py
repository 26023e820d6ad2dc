"""Rows of contacts and companies in two generations: registers and owner."""

from collections.abc import Iterator
from typing import Any

import msgspec

from schemas.profiles.registers import Layers, Registers, SourceRecordRow
from schemas.profiles.version import Version
from streams.agents.open_record import OpenRecord
from streams.agents.patches import NO_REGISTERS

_NAMED = 5  # parts of a row that `why` names


def comparable(group: str, item: str, row: Any) -> bytes | None:
    """Return registers and owner. Which number the assignment has is history, and so is one without any event."""
    if not isinstance(row, SourceRecordRow) or bytes(row.registers) == bytes(NO_REGISTERS):
        return None
    return msgspec.msgpack.encode([bytes(row.registers), row.assignment.profile, row.assignment.ignored])


def why(live: SourceRecordRow, rebuilt: SourceRecordRow) -> str:
    """Name the registers that differ, with the events that they rest on."""
    if bytes(live.registers) == bytes(rebuilt.registers):
        return f"belongs to {live.assignment.profile} in the live table and to {rebuilt.assignment.profile} in the rebuilt one"
    before, after = (dict(_assertions(OpenRecord(row).registers)) for row in (live, rebuilt))
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    parts = [f"{name} (live: {_event(before.get(name))}, rebuilt: {_event(after.get(name))})" for name in names[:_NAMED]]
    return ", ".join([*parts, *([f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else [])]) or "contested fields"


def _assertions(registers: Registers) -> Iterator[tuple[str, tuple[Version, Any]]]:
    """Yield every register by its family and name. Families of the present have no prefix."""
    families: dict[str, Layers] = {
        "": registers.now, "last ": registers.last, "first ": registers.first, "on ": registers.on, "off ": registers.off,
        "since ": registers.since, "complete ": registers.complete,
    }  # fmt: skip
    for family, layers in families.items():
        for version, values in layers:
            for name, value in values.items():
                yield f"{family}{name}", (version, value)


def _event(assertion: tuple[Version, Any] | None) -> str:
    return "nothing" if assertion is None else assertion[0].event or "an event without id"
