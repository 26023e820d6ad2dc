"""Searches as Intercom evaluates them: windows of time without reading other rows, days in place of seconds up to 2.16.

Up to 2.16 a contact's times are compared by calendar day in the workspace's zone: `>` begins with the next day, `<` ends before the
day, `=` is the whole day, and other operators are an error. From 2.17, and for conversations and tickets, seconds are compared.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from connectors.simulator.rest.replies import invalid

FIRST, LAST = 0, 1 << 45  # in ms, before and after all times
_MOST_FILTERS, _MOST_LEVELS = 15, 2
_TIMES: Final = frozenset({"created_at", "updated_at", "last_seen_at", "signed_up_at"})
Predicate = Callable[[Mapping[str, Any]], bool]
_COMPARED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda value, wanted: value == wanted or str(value) == str(wanted),
    "!=": lambda value, wanted: value != wanted and str(value) != str(wanted),
    ">": lambda value, wanted: _number(value) > _number(wanted),
    "<": lambda value, wanted: _number(value) < _number(wanted),
    "IN": lambda value, wanted: str(value) in {str(each) for each in wanted},
    "NIN": lambda value, wanted: str(value) not in {str(each) for each in wanted},
    "~": lambda value, wanted: str(wanted).lower() in str(value or "").lower(),
    "!~": lambda value, wanted: str(wanted).lower() not in str(value or "").lower(),
    "^": lambda value, wanted: str(value or "").lower().startswith(str(wanted).lower()),
    "$": lambda value, wanted: str(value or "").lower().endswith(str(wanted).lower()),
}


class TimeRules(msgspec.Struct, frozen=True):
    """How times are compared: by days of the zone, or by seconds; `ranges` allows `>=` and `<=`."""

    days_of: str | None = None
    ranges: bool = False


class Query(msgspec.Struct, frozen=True):
    """A search: the window of `updated_at` that holds all it can find, and what else has to hold."""

    start_ms: int = FIRST
    end_ms: int = LAST
    holds: Predicate | None = None


def parsed(query: Any, rules: TimeRules) -> Query:
    """Understand a query. Raises the refusal of one that Intercom does not accept."""
    if not isinstance(query, dict):
        raise invalid("query is missing", "invalid_query")
    value = query.get("value")
    parts: list[Any] = value if _operator(query) == "AND" and isinstance(value, list) else [query]
    _count(parts)
    start, end, others = FIRST, LAST, []
    for part in parts:
        if isinstance(part, dict) and part.get("field") == "updated_at":
            window = _window(part, rules)
            if window is not None:
                start, end = max(start, window[0]), min(end, window[1])
                continue
        others.append(_predicate(part, rules, 1))
    return Query(start, max(start, end), (lambda item: all(each(item) for each in others)) if others else None)


def _window(part: Mapping[str, Any], rules: TimeRules) -> tuple[int, int] | None:
    """Return the times in ms that a filter of a time lets through; None for `!=`."""
    operator, second = _operator(part), _second(part.get("value"))
    first, last = _day(second, rules.days_of) if rules.days_of else (second, second + 1)
    windows = {
        ">": (last * 1000, LAST),
        "<": (FIRST, first * 1000),
        "=": (first * 1000, last * 1000),
        **({">=": (first * 1000, LAST), "<=": (FIRST, last * 1000)} if rules.ranges else {}),
    }
    if operator in windows:
        return windows[operator]
    if operator == "!=" and not rules.days_of:
        return None
    raise invalid(f"the operator {operator} cannot be used with a date", "invalid_operator")


def _predicate(part: Any, rules: TimeRules, level: int) -> Predicate:
    if not isinstance(part, dict):
        raise invalid("each filter is an object", "invalid_query")
    if isinstance(part.get("value"), list) and _operator(part) in {"AND", "OR"}:
        if level >= _MOST_LEVELS:
            raise invalid("filters are nested too deeply", "invalid_query")
        _count(part["value"])
        inner = [_predicate(each, rules, level + 1) for each in part["value"]]
        together = all if part["operator"] == "AND" else any
        return lambda item: together(each(item) for each in inner)
    name, operator, value = part.get("field"), _operator(part), part.get("value")
    if not isinstance(name, str) or not name:
        raise invalid("a filter has no field", "invalid_field")
    if name in _TIMES and (window := _window(part, rules)) is not None:
        return lambda item: item.get(name) is not None and window[0] <= item[name] * 1000 < window[1]
    if operator not in _COMPARED or (operator in {"IN", "NIN"} and not isinstance(value, list)):
        raise invalid(f"the operator {operator} is unknown", "invalid_operator")
    compared = _COMPARED[operator]
    return lambda item: compared(_value(item, name), value)


def _count(filters: list[Any]) -> None:
    if not 1 <= len(filters) <= _MOST_FILTERS:
        raise invalid("a group has 1 to 15 filters", "invalid_query")


def _operator(part: Mapping[str, Any]) -> str:
    operator = part.get("operator")
    if not isinstance(operator, str):
        raise invalid("a filter has no operator", "invalid_operator")
    return operator


def _value(item: Mapping[str, Any], name: str) -> Any:
    value: Any = item
    for step in name.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _day(second: int, zone: str) -> tuple[int, int]:
    """Return the first second of the day in the zone, and that of the next day."""
    day = datetime.fromtimestamp(second, ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(day.timestamp()), int((day + timedelta(days=1)).timestamp())


def _second(value: Any) -> int:
    number = _number(value)
    if not abs(number) < LAST / 1000:
        raise invalid("a date is a number of seconds since 1970", "invalid_value")
    return int(number)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
