"""In what a record is not as an assertion has it: the fields, edges and marks, whatever the versions of both."""

from collections.abc import Iterator

from schemas.profiles.registers import Registers, Value
from streams.core.records.registers import active_edges, current

_SEPARATOR = "\n"  # between the ids of a complete list


def disagreements(known: Registers, asserted: Registers) -> frozenset[str]:
    """Return the names of fields and edges that the assertion has and the record does not have as it has them.

    An assertion of a part of a record says nothing of the rest. A field that is empty in one and unknown in the other is the same.
    """
    return frozenset((*_fields(known, asserted), *_edges(known, asserted)))


def marks(registers: Registers) -> frozenset[str]:
    """Return the marks that say that a record is not among those that lists show: archived, deleted, or merged into another."""
    names = (name for name, _ in active_edges(registers))
    return frozenset(name.partition(":")[0] for name in names) & {"archived", "deleted", "merged"}


def _fields(known: Registers, asserted: Registers) -> Iterator[str]:
    values: dict[str, Value] = {name: value for name, value, _ in current(known)}
    for _, layer in asserted.now:
        for name, value in layer.items():
            if values.get(name) != value:
                yield name


def _edges(known: Registers, asserted: Registers) -> Iterator[str]:
    active = {name for name, _ in active_edges(known)}
    yield from (name for name, _ in active_edges(asserted) if name not in active)
    yield from (name for _, names in asserted.off for name in names if name in active)
    for _, lists in asserted.complete:
        for kind, ids in lists.items():
            if isinstance(ids, str):
                listed = {f"{kind}:{each}" for each in ids.split(_SEPARATOR)}
                yield from (name for name in active if name.startswith(f"{kind}:") and name not in listed)
