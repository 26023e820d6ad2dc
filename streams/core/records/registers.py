"""The merge algebra: registers joined by version. Any order, repetition or grouping of assertions gives the same registers.

`join` is commutative, associative and idempotent because each register is the greatest (or the least) of the assertions ever
made, and whatever registers leave out follows from what they contain.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from operator import itemgetter
from typing import Final, TypeVar

from schemas.profiles.registers import Layer, Layers, Registers, Value
from schemas.profiles.version import Rank, Version
from streams.core.records.contested import contested
from streams.core.records.kept import kept_with_registers
from streams.core.records.layers import NO_COUNTS, SEPARATOR, by_version, field_layers, flag_layers, list_layers

T = TypeVar("T")

NOTHING: Final = Registers()
_version_of: Callable[[Layer], Version] = itemgetter(0)


def field_registers(version: Version, fields: Mapping[str, Value]) -> Registers:
    """Return the registers of one snapshot: each field asserted, empty ones as None."""
    return Registers(now=field_layers(version, fields))


def edge_registers(version: Version, names: Iterable[str], *, on: bool) -> Registers:
    """Return the registers of one assertion that edges or marks are active, or that they are not."""
    layers = flag_layers(version, names)
    return Registers(on=layers) if on else Registers(off=layers)


def list_registers(version: Version, lists: Mapping[str, Iterable[str]], counts: Mapping[str, int] = NO_COUNTS) -> Registers:
    """Return the registers of complete lists: an edge of that kind whose id is not in the list is not active at that version.

    `counts` are how many entries the lists have of which only a part was shown; they assert no absence, and are named `#kind`.
    """
    return Registers(complete=list_layers(version, lists, counts))


def join(a: Registers, b: Registers) -> Registers:
    """Return the registers after the assertions of both."""
    now, last, first, contested = _join_fields(a, b)
    on = _latest_of_both(a.on, b.on)
    return Registers(
        now=now,
        last=last,
        first=first,
        on=on,
        off=_latest_of_both(a.off, b.off),
        since=_without(earliest(a.since + b.since + a.on + b.on), on) if on else (),
        complete=_latest_of_both(a.complete, b.complete),
        contested=contested,
    )


def latest(layers: Layers) -> Layers:
    """Return each name's assertion of the greatest version, greatest first."""
    if len(layers) < 2:  # noqa: PLR2004 - nothing to order
        return layers
    return first_of_each_name(sorted(by_version(layers).items(), key=_version_of, reverse=True))


def earliest(layers: Layers) -> Layers:
    """Return each name's assertion of the least version, least first."""
    if len(layers) < 2:  # noqa: PLR2004
        return layers
    return first_of_each_name(sorted(by_version(layers).items(), key=_version_of))


def current(registers: Registers) -> Iterator[tuple[str, Value, Version]]:
    """Yield the fields that are not empty now, with the version of each."""
    for version, values in registers.now:
        for name, value in values.items():
            if value is not None:
                yield name, value, version


@kept_with_registers
def first_values(registers: Registers) -> Layers:
    """Return the earliest value ever asserted of each field, least first."""
    return earliest(non_empty(registers.now) + registers.last + registers.first)


def version_of(layers: Layers, name: str) -> Version | None:
    """Return the version of a name in some layers."""
    for version, values in layers:
        if name in values:
            return version
    return None


@kept_with_registers
def active_edges(registers: Registers) -> tuple[tuple[str, Version], ...]:
    """Return the edges and marks that are active now, with the version of the latest assertion that they are."""
    denials = _denials(registers) if registers.on else None
    return tuple(
        [
            (name, version)
            for version, names in registers.on
            for name in names
            if denials is None or all(other < version for other in denials(name))
        ]
    )


def inactive_edges(registers: Registers) -> Iterator[tuple[str, Version]]:
    """Yield the edges and marks whose latest event asserts that they are not active."""
    active = versions_of(registers.on) if registers.off else {}
    for version, names in registers.off:
        for name in names:
            if name not in active or active[name] <= version:
                yield name, version


def first_active(registers: Registers, name: str) -> Version | None:
    """Return when an edge or mark was first asserted to be active."""
    return version_of(registers.since, name) or version_of(registers.on, name)


def first_activations(registers: Registers) -> dict[str, Version]:
    """Return when each edge and mark was first asserted to be active."""
    return versions_of(registers.on) | versions_of(registers.since)


def versions_of(layers: Layers) -> dict[str, Version]:
    """Return the version of each name in some layers: to look up many costs as much as to look up one."""
    return {name: version for version, names in layers for name in names}


@kept_with_registers
def unsettled(registers: Registers) -> set[str]:
    """Return the names with two contradicting assertions in one second that the wire cannot order; a read by id settles them."""
    names_unsettled = set(registers.contested)
    denials = _denials(registers) if _have_unordered(registers) else None
    if denials is not None:
        for version, names in registers.on:
            names_unsettled.update(name for name in names if _is_contradicted(version, denials(name)))
    return names_unsettled


def non_empty(layers: Layers) -> Layers:
    """Return the layers without the names that are empty."""
    return tuple([(version, {name: value for name, value in values.items() if value is not None}) for version, values in layers])


def first_of_each_name(ordered: Iterable[tuple[T, dict[str, Value]]]) -> tuple[tuple[T, dict[str, Value]], ...]:
    """Return the layers with each name in the first one alone that has it."""
    layers: list[tuple[T, dict[str, Value]]] = []
    taken: set[str] = set()
    for version, values in ordered:
        if taken.issuperset(values):  # as all but the latest snapshot of a person's records
            continue
        fresh = values if taken.isdisjoint(values) else {name: value for name, value in values.items() if name not in taken}
        layers.append((version, fresh))
        taken.update(fresh)
    return tuple(layers)


def _join_fields(a: Registers, b: Registers) -> tuple[Layers, Layers, Layers, tuple[str, ...]]:
    """Join the three registers of every field. Events that assert only edges and marks have none."""
    if not a.now or not b.now:
        side = a if a.now else b
        return side.now, side.last, side.first, side.contested
    if _succeeds(b, a):
        return _succeeded(a, b.now[0])
    now = latest(a.now + b.now)
    full = non_empty(a.now + b.now + a.last + b.last)
    last = _only(latest(full), {name for _, values in now for name, value in values.items() if value is None})
    return now, last, _without(earliest(full + a.first + b.first), non_empty(now) + last), contested(a, b)


def _succeeds(b: Registers, a: Registers) -> bool:
    """Return whether one side is a single event's fields, of a later moment than all of the other side's: most events are."""
    if len(b.now) != 1 or b.last or b.first or b.contested:
        return False
    moment = b.now[0][0][:4]
    return moment > a.now[0][0][:4] and (not a.last or moment > a.last[0][0][:4]) and (not a.first or moment > a.first[-1][0][:4])


def _succeeded(a: Registers, newest: Layer) -> tuple[Layers, Layers, Layers, tuple[str, ...]]:
    """Return what `_join_fields` does where the fields of a later event follow, without looking at every register again.

    A value that the event replaces becomes the last non-empty one where the event empties its field. Elsewhere it is the earliest
    one, unless an earlier one is known.
    """
    asserted = newest[1]
    known = {name for _, values in a.first for name in values}
    now: list[Layer] = [newest]
    last: list[Layer] = []
    first = list(a.first)
    for layers, register in ((a.now, now), (a.last, last)):
        for version, values in layers:
            kept: dict[str, Value] = {}
            emptied: dict[str, Value] = {}
            changed: dict[str, Value] = {}
            for name, value in values.items():
                if name not in asserted:
                    kept[name] = value
                elif value is None:
                    pass
                elif asserted[name] is None:
                    emptied[name] = value
                elif name not in known:
                    changed[name] = value
            for replaced, target in ((kept, register), (emptied, last), (changed, first)):
                if replaced:
                    target.append((version, replaced))
    contested = tuple(name for name in a.contested if name not in asserted) if a.contested else ()
    return tuple(now), latest(tuple(last)), earliest(tuple(first)), contested


def _latest_of_both(a: Layers, b: Layers) -> Layers:
    if not a or not b:
        return a or b
    if len(a) == len(b) == 1 and a[0][1].keys() == b[0][1].keys() and a[0][0] != b[0][0]:
        return a if a[0][0] > b[0][0] else b  # of the same names, as most lists are
    return latest(a + b)


def _only(layers: Layers, names: AbstractSet[str]) -> Layers:
    if not names:
        return ()
    reduced = ((version, {name: value for name, value in values.items() if name in names}) for version, values in layers)
    return tuple(layer for layer in reduced if layer[1])


def _without(layers: Layers, others: Layers) -> Layers:
    """Drop the names that the others have at the same version, from which they can be read."""
    same = by_version(others)
    reduced = (
        (version, {name: value for name, value in values.items() if name not in same.get(version, ())})
        for version, values in layers
    )
    return tuple(layer for layer in reduced if layer[1])


def _unordered(a: Version, b: Version) -> bool:
    """Return whether rank alone decides between two versions: one second, and not two snapshots, which have milliseconds."""
    return a.second == b.second and not a.rank == b.rank == Rank.SNAPSHOT


def _is_contradicted(on: Version, denials: list[Version]) -> bool:
    """Return whether an activation is denied in its own second, and nothing later denies it: a later list without the edge settles it."""
    return any(_unordered(on, each) for each in denials) and all(each.second <= on.second for each in denials)


def _have_unordered(registers: Registers) -> bool:
    """Return whether an edge or a mark may have been asserted both ways in one second, which the seconds alone rule out for most."""
    seconds, of_events = {each.second for each, _ in registers.on}, {each.second for each, _ in registers.on if each.rank}
    denied = (*registers.off, *registers.complete)
    return any(each.second in (seconds if each.rank else of_events) for each, _ in denied)


def _denials(registers: Registers) -> Callable[[str], list[Version]] | None:
    """Return a function that returns when a name was asserted inactive: by the latest such event, and by the latest complete list without it.

    None where nothing ever was.
    """
    if not registers.off and not registers.complete:
        return None
    off = versions_of(registers.off)
    lists = {
        kind: (version, frozenset(ids.split(SEPARATOR)))
        for version, kinds in registers.complete
        for kind, ids in kinds.items()
        if isinstance(ids, str)
    }

    def denials(name: str) -> list[Version]:
        kind, _, edge = name.partition(":")
        found = [off[name]] if name in off else []
        if kind in lists and edge not in lists[kind][1]:
            found.append(lists[kind][0])
        return found

    return denials
