"""Fields whose latest moment has two values: only the event's id decides between them, so a reading should."""

from schemas.profiles.policies import is_hash
from schemas.profiles.registers import Registers, Value
from schemas.profiles.version import Version


def contested(a: Registers, b: Registers) -> tuple[str, ...]:
    """Return the contested fields of both sides together."""
    moments = {version[:4] for version, _ in a.now + b.now}
    if len(moments) == len(a.now) + len(b.now) and not a.contested and not b.contested:
        return ()
    in_a, in_b = _by_name(a), _by_name(b)
    return tuple(sorted(name for name in in_a.keys() | in_b.keys() if _has_two_values(name, (a, in_a), (b, in_b))))


_ByName = dict[str, tuple[Version, Value]]


def _by_name(registers: Registers) -> _ByName:
    return {name: (version, value) for version, values in registers.now for name, value in values.items()}


def _has_two_values(name: str, *sides: tuple[Registers, _ByName]) -> bool:
    """Return whether the latest moment of a field has two values, within one side or between both."""
    present = [(registers, *fields[name]) for registers, fields in sides if name in fields]
    moment = max(version[:4] for _, version, _ in present)
    newest = [(registers, value) for registers, version, value in present if version[:4] == moment]
    return any(name in registers.contested for registers, _ in newest) or any(_differ(value, newest[0][1]) for _, value in newest)


def _differ(a: Value, b: Value) -> bool:
    """Return whether two values are known to differ. A value and a keyed hash are not: it may be the value's own.

    A policy can reach who sends registers before who joins them. If the moment has two values indeed, then the sender's say so.
    """
    if a == b and type(a) is type(b):  # True equals 1, and has other bytes
        return False
    return a is None or b is None or is_hash(a) == is_hash(b)
