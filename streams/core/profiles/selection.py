"""The condition that selects profiles: CEL over the merged profile. It reads no clock, so the same profile always has the same answer.

The library ends a condition after 10,000 steps of its macros, and refuses one nested more than 32 deep. What a step can cost depends on
the profile, so a condition is not asked about one where both together could take too long.
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

import msgspec

from schemas.errors import InvalidRecord
from schemas.profiles.policies import LONGEST_CONDITION
from streams.core.profiles.condition_fields import constants_of

HIDDEN: Final = frozenset({"sources", "provenance"})
"""What a condition does not see of a profile."""
_MAPS: Final = ("attributes", "traits")
_MACROS: Final = re.compile(r"\.\s*(all|exists|exists_one|map|filter)\s*\(")
_MOST_STEPS: Final = 10_000  # of the library
_SHORTEST_OPERATION: Final = 8  # characters of a condition
_MOST_BYTES: Final = 1 << 31  # that all operations together may look at: a second, on a machine that is not busy
_LONG: Final = 19  # digits of the least number that may have more than 64 bits
_LONG_NUMBER: Final = re.compile(rf"\d{{{_LONG}}}")
_TWO_63: Final = 1 << 63
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.msgpack.Encoder().encode


class Answer(Enum):
    """Whether a profile is selected; one whose condition fails is not, and is counted."""

    SELECTED = "selected"
    NOT_SELECTED = "not selected"
    FAILED = "failed"


class Selection:
    """A condition about profiles of one kind, `nullable` being what they need not have. Raises InvalidRecord that says where it is wrong."""

    def __init__(self, condition: str, *, kind: str, nullable: frozenset[str]) -> None:
        from cel_expr_python import cel  # noqa: PLC0415 - 14 MB of code, which tenants without a condition do not need

        if len(condition) > LONGEST_CONDITION:
            raise InvalidRecord(f"select is {len(condition)} characters long; at most {LONGEST_CONDITION} are allowed")
        self._kind = kind
        self._absent = dict.fromkeys(nullable)
        self._operations = len(condition) // _SHORTEST_OPERATION + 1
        self._macros = len(_MACROS.findall(condition))
        self._named = None if self._macros else _named(condition, kind)
        self._bool = cel.Type.BOOL
        env = cel.NewEnv(variables={kind: cel.Type.Map(cel.Type.STRING, cel.Type.DYN)})
        try:
            self._expression = env.compile(condition)
        except RuntimeError as error:
            raise InvalidRecord(f"select is no condition: {_reason(error)}") from None
        if self._expression.return_type() != self._bool:
            raise InvalidRecord(
                f"select has the type {self._expression.return_type()} and should be true or false; compare it with a value, "
                f"as in {kind}.attributes.vip == true"
            )

    def answer(self, value: Mapping[str, Any]) -> Answer:
        """Return whether a profile, as it would be published, is selected."""
        visible = self._visible(value)
        try:
            if self._takes_too_long(visible):
                return Answer.FAILED
            for name in _MAPS:
                if name in visible:
                    visible[name] = {entry: _json(text) for entry, text in visible[name].items()}
            result = self._expression.eval(data={self._kind: visible})
            if result.type() != self._bool:
                return Answer.FAILED
            return Answer.SELECTED if result.value() else Answer.NOT_SELECTED
        except (RuntimeError, ValueError, TypeError, OverflowError, RecursionError):  # the library's, about this profile
            return Answer.FAILED

    def _visible(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the condition can see of a profile: to hand over a whole one costs more than most conditions."""
        if self._named is None:
            return {**self._absent, **{name: each for name, each in value.items() if name not in HIDDEN}}
        return {name: value.get(name) for name in self._named if name in value or name in self._absent}

    def _takes_too_long(self, visible: dict[str, Any]) -> bool:
        if not self._macros:
            return len(_encode(visible)) * self._operations > _MOST_BYTES
        largest = max(len(_encode(part)) for part in visible.values())
        longest = max((len(part) for part in visible.values() if isinstance(part, list | dict)), default=1)
        steps = min(max(longest, 1) ** min(self._macros, 2), _MOST_STEPS)
        return bool(largest * self._operations * steps > _MOST_BYTES)


def failing_constants(condition: str) -> Iterator[str]:
    """Yield what is wrong with the constants of a condition that compiles: one with a bad regular expression fails for every profile."""
    from cel_expr_python import cel  # noqa: PLC0415 - as above

    env = cel.NewEnv()
    for function, text in constants_of(condition):
        result = env.compile(
            f'"".matches({text})' if function == "matches" else f"{function}({text}) == {function}({text})"
        ).eval(data={})
        if result.type() != cel.Type.BOOL:
            yield f"{function}({text}) fails for every profile: {_reason(result.value())}"


def _named(condition: str, kind: str) -> frozenset[str] | None:
    """Return the fields that a condition can look at; None where that may be any, as in `person[...]` or `person.size()`."""
    names = [match[1] for match in re.finditer(rf"\b{kind}\b(?:\.([A-Za-z_]\w*)(?!\w|\s*\())?", condition)]
    return None if None in names else frozenset(names) - HIDDEN


def _json(text: str) -> Any:
    """Return a JSON value as CEL has it: an integer beyond 64 bits as the nearest double, since one of them would fail every condition."""
    value = _decode(text)
    return _with_doubles(value) if len(text) >= _LONG and _LONG_NUMBER.search(text) else value


def _with_doubles(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_doubles(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_doubles(part) for part in value]
    return float(value) if type(value) is int and not -_TWO_63 <= value < _TWO_63 else value


def _reason(error: object) -> str:
    """Return the library's error on one line, without its own prefix and its drawing."""
    text = str(error).removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]")
    first = text.split("\n")[0].replace("ERROR: <input>:", "line ")
    return re.sub(r"^line (\d+):(\d+): ", r"line \1, column \2: ", first)
