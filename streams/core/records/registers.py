"""The merge algebra: registers joined by version. Any order, repetition or grouping of the same assertions gives the same registers.

`join` is commutative, associative and idempotent because each register is the greatest (or the least) of the assertions ever made,
and what is left out of the stored form follows from what is kept.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Final

from schemas.canonical import canonical
from schemas.profiles.registers import Indexed, Layer, Layers, Packed, Rank, Registers, Value, Version

NOTHING: Final = Registers()
_version_of: Callable[[Layer], Version] = itemgetter(0)
_BETWEEN: Final = "\n"  # between the ids of a whole list
_FAMILIES: Final = ("now", "last", "first", "on", "off", "since", "complete")


def field_registers(version: Version, fields: Mapping[str, Value]) -> Registers:
    """Return the registers of one snapshot: each field named, empty ones as None."""
    return Registers(now=((version, dict(fields)),)) if fields else NOTHING


def edge_registers(version: Version, names: Iterable[str], *, on: bool) -> Registers:
    """Return the registers of one assertion that edges or marks hold, or that they do not."""
    layers = _marks(version, names)
    return Registers(on=layers) if on else Registers(off=layers)


def list_registers(version: Version, lists: Mapping[str, Iterable[str]]) -> Registers:
    """Return the registers of complete readings: an edge of that kind which is not among the ids does not hold by then."""
    members: dict[str, Value] = {kind: _BETWEEN.join(sorted(set(ids))) for kind, ids in lists.items()}
    return Registers(complete=((version, members),)) if members else NOTHING


def join(a: Registers, b: Registers) -> Registers:
    """Return the registers after both."""
    now, last, first, contested = _joined_fields(a, b)
    on = _either(a.on, b.on)
    return Registers(
        now=now,
        last=last,
        first=first,
        on=on,
        off=_either(a.off, b.off),
        since=_without(earliest(a.since + b.since + a.on + b.on), on) if on else (),
        complete=_either(a.complete, b.complete),
        contested=contested,
    )


def latest(layers: Layers) -> Layers:
    """Keep each name's assertion of the greatest version, greatest first."""
    return _picked(sorted(_by_version(layers).items(), key=_version_of, reverse=True))


def earliest(layers: Layers) -> Layers:
    """Keep each name's assertion of the least version, least first."""
    return _picked(sorted(_by_version(layers).items(), key=_version_of))


def current(registers: Registers) -> Iterator[tuple[str, Value, Version]]:
    """Yield the fields that are not empty now, with the version of each."""
    for version, values in registers.now:
        for name, value in values.items():
            if value is not None:
                yield name, value, version


def first_values(registers: Registers) -> dict[str, tuple[Value, Version]]:
    """Return the earliest value ever asserted of each field."""
    layers = earliest(_non_empty(registers.now) + registers.last + registers.first)
    return {name: (value, version) for version, values in layers for name, value in values.items()}


def version_of(layers: Layers, name: str) -> Version | None:
    """Return the version at which a name stands in some layers."""
    for version, values in layers:
        if name in values:
            return version
    return None


def active_edges(registers: Registers) -> Iterator[tuple[str, Version]]:
    """Yield the edges and marks that hold now, with the version of the latest assertion that they do."""
    for version, names in registers.on:
        for name in names:
            if all(other < version for other in _against(registers, name)):
                yield name, version


def inactive_edges(registers: Registers) -> Iterator[tuple[str, Version]]:
    """Yield the edges and marks of which the latest event says that they do not hold."""
    for version, names in registers.off:
        for name in names:
            held = version_of(registers.on, name)
            if held is None or held <= version:
                yield name, version


def first_active(registers: Registers, name: str) -> Version | None:
    """Return when an edge or mark was first asserted to hold."""
    return version_of(registers.since, name) or version_of(registers.on, name)


def unsettled(registers: Registers) -> set[str]:
    """Name what two assertions of one second contradict each other about and the wire cannot order; a read by id settles it."""
    found = set(registers.contested)
    for version, names in registers.on:
        found.update(name for name in names if any(_unordered(version, other) for other in _against(registers, name)))
    return found


def pack(registers: Registers) -> Packed:
    """Return the stored form: each version once, names in order, so that equal registers have equal bytes."""
    families = {family: getattr(registers, family) for family in _FAMILIES}
    versions = sorted({version for layers in families.values() for version, _ in layers})
    places = {version: place for place, version in enumerate(versions)}
    indexed = {family: _indexed(layers, places) for family, layers in families.items()}
    return Packed(versions=tuple(versions), contested=registers.contested, **indexed)


def unpack(packed: Packed) -> Registers:
    """Return the registers of a stored form."""
    versions = packed.versions
    layers = {family: tuple((versions[place], values) for place, values in getattr(packed, family)) for family in _FAMILIES}
    return Registers(contested=packed.contested, **layers)


def _joined_fields(a: Registers, b: Registers) -> tuple[Layers, Layers, Layers, tuple[str, ...]]:
    """Join the three registers of every field. Events that only say something of edges and marks have none."""
    if not a.now or not b.now:
        held = a if a.now else b
        return held.now, held.last, held.first, held.contested
    now = latest(a.now + b.now)
    full = _non_empty(a.now + b.now + a.last + b.last)
    last = _only(latest(full), {name for _, values in now for name, value in values.items() if value is None})
    return now, last, _without(earliest(full + a.first + b.first), _non_empty(now) + last), _contested(a, b)


def _either(a: Layers, b: Layers) -> Layers:
    return latest(a + b) if a and b else a or b


def _marks(version: Version, names: Iterable[str]) -> Layers:
    values: dict[str, Value] = {name: True for name in names}  # noqa: C420 - fromkeys would type the values as bool alone
    return ((version, values),) if values else ()


def _picked(ordered: list[Layer]) -> Layers:
    """Keep the first assertion of each name."""
    found: list[Layer] = []
    taken: set[str] = set()
    for version, values in ordered:
        fresh = values if taken.isdisjoint(values) else {name: value for name, value in values.items() if name not in taken}
        if fresh:
            found.append((version, fresh))
            taken.update(fresh)
    return tuple(found)


def _by_version(layers: Layers) -> dict[Version, dict[str, Value]]:
    """Bring layers of one version together; of two values at one version the greater stays, so that order does not matter."""
    found: dict[Version, dict[str, Value]] = {}
    for version, values in layers:
        held = found.get(version)
        found[version] = values if held is None or _alike(held, values) else _tied(held, values)
    return found


def _alike(one: dict[str, Value], other: dict[str, Value]) -> bool:
    """Say whether all values are the same, spelt the same: True equals 1."""
    return one == other and all(type(other[name]) is type(value) for name, value in one.items())


def _tied(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    both = {name: max(one[name], other[name], key=_weight) for name in one.keys() & other.keys()}
    return {**one, **other, **both}


def _differ(one: Value, other: Value) -> bool:
    return one != other or type(one) is not type(other)  # True equals 1, and is spelt otherwise


def _weight(value: Value) -> tuple[bool, bytes]:
    return value is not None, canonical(value)


def _non_empty(layers: Layers) -> Layers:
    return tuple((version, {name: value for name, value in values.items() if value is not None}) for version, values in layers)


def _only(layers: Layers, names: set[str]) -> Layers:
    if not names:
        return ()
    kept = ((version, {name: value for name, value in values.items() if name in names}) for version, values in layers)
    return tuple(layer for layer in kept if layer[1])


def _without(layers: Layers, others: Layers) -> Layers:
    """Drop what stands at the same version in the others, where it can be read from."""
    same = _by_version(others)
    kept = ((version, {n: value for n, value in values.items() if n not in same.get(version, ())}) for version, values in layers)
    return tuple(layer for layer in kept if layer[1])


def _unordered(one: Version, other: Version) -> bool:
    """Say whether rank alone decides between two versions: one second, and not two snapshots, which have milliseconds."""
    return one.second == other.second and not one.rank == other.rank == Rank.SNAPSHOT


def _against(registers: Registers, name: str) -> Iterator[Version]:
    """Yield when an edge or mark was asserted not to hold: the latest event that says so, the latest whole list without it."""
    own = version_of(registers.off, name)
    if own is not None:
        yield own
    kind, _, edge = name.partition(":")
    for version, lists in registers.complete:
        if kind in lists and edge not in str(lists[kind]).split(_BETWEEN):
            yield version


def _contested(a: Registers, b: Registers) -> tuple[str, ...]:
    moments = {version[:4] for version, _ in a.now + b.now}
    if len(moments) == len(a.now) + len(b.now) and not a.contested and not b.contested:
        return ()
    left, right = _by_name(a), _by_name(b)
    return tuple(sorted(name for name in left.keys() | right.keys() if _two_values(name, (a, left), (b, right))))


_Named = dict[str, tuple[Version, Value]]


def _by_name(registers: Registers) -> _Named:
    return {name: (version, value) for version, values in registers.now for name, value in values.items()}


def _two_values(name: str, *sides: tuple[Registers, _Named]) -> bool:
    """Say whether the latest moment of a field has two values, on one side already or between both."""
    present = [(registers, *named[name]) for registers, named in sides if name in named]
    moment = max(version[:4] for _, version, _ in present)
    newest = [(registers, value) for registers, version, value in present if version[:4] == moment]
    return any(name in registers.contested for registers, _ in newest) or any(_differ(value, newest[0][1]) for _, value in newest)


def _indexed(layers: Layers, places: Mapping[Version, int]) -> Indexed:
    return tuple((places[version], dict(sorted(values.items()))) for version, values in layers)
