"""Evaluates the PromQL that our alerts use, over scraped pages: rates between the first and the last page of a range, no extrapolation."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import promql_parser as promql
from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]

_LE = "le"
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b, "<": lambda a, b: a < b, "==": lambda a, b: a == b,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "/": lambda a, b: a / b if b else float("nan"), "-": lambda a, b: a - b,
}  # fmt: skip


class Pages:
    """Pages by the second at which they were scraped."""

    def __init__(self, pages: dict[int, str]) -> None:
        self._series: dict[int, dict[str, Vector]] = {at: _series(page) for at, page in pages.items()}

    def query(self, text: str, at: int) -> Vector:
        """Return the vector of an expression at a time that has a page."""
        result = self._value(promql.parse(text), at)
        assert isinstance(result, dict)
        return result

    def _value(self, node: Any, at: int) -> Any:
        return getattr(self, f"_{type(node).__name__.lower()}")(node, at)

    def _numberliteral(self, node: Any, _: int) -> float:
        return float(node.val)

    def _parenexpr(self, node: Any, at: int) -> Any:
        return self._value(node.expr, at)

    def _vectorselector(self, node: Any, at: int) -> Vector:
        found = self._series[at].get(node.name, {})
        return {labels: value for labels, value in found.items() if _matches(dict(labels), node.matchers.matchers)}

    def _call(self, node: Any, at: int) -> Vector:
        if node.func.name == "histogram_quantile":
            return _quantiles(self._value(node.args[0], at), self._value(node.args[1], at))
        assert node.func.name in {"rate", "increase"}, f"no {node.func.name} here"
        selector = node.args[0]
        seconds = selector.range.total_seconds()
        begin = min(each for each in self._series if each >= at - seconds)
        first, last = (self._vectorselector(selector.vector_selector, when) for when in (begin, at))
        share = seconds if node.func.name == "increase" else 1.0
        return {labels: (value - first.get(labels, 0.0)) / (at - begin) * share for labels, value in last.items() if at > begin}

    def _aggregateexpr(self, node: Any, at: int) -> Vector:
        assert str(node.op) in {"sum", "max"}, f"no {node.op} here"
        kept = set(node.modifier.labels) if node.modifier else set()
        groups: Vector = {}
        for labels, value in self._value(node.expr, at).items():
            group = frozenset((name, text) for name, text in labels if name in kept)
            is_max = str(node.op) == "max"
            groups[group] = max(groups.get(group, value), value) if is_max else groups.get(group, 0.0) + value
        return groups

    def _binaryexpr(self, node: Any, at: int) -> Vector:
        left, right, operator = self._value(node.lhs, at), self._value(node.rhs, at), str(node.op)
        if operator == "or":
            return {**right, **left}
        if operator == "unless":
            return {labels: value for labels, value in left.items() if labels not in right}
        others = right if isinstance(right, dict) else dict.fromkeys(left, right)
        pairs = {labels: (value, others[labels]) for labels, value in left.items() if labels in others}
        if operator in _COMPARE:
            return {labels: a for labels, (a, b) in pairs.items() if _COMPARE[operator](a, b)}
        return {labels: _ARITHMETIC[operator](a, b) for labels, (a, b) in pairs.items()}


def _series(page: str) -> dict[str, Vector]:
    found: dict[str, Vector] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def _matches(labels: dict[str, str], matchers: Iterable[Any]) -> bool:
    for matcher in matchers:
        value = labels.get(matcher.name, "")
        match str(matcher.op).rpartition(".")[2]:
            case "Equal":
                good = value == matcher.value
            case "Re":
                good = re.fullmatch(matcher.value, value) is not None
            case other:
                raise AssertionError(f"no matcher {other} here")
        if not good:
            return False
    return True


def _quantiles(quantile: float, buckets: Vector) -> Vector:
    """Return the upper bound of the bucket in which the quantile is, for each series of a histogram."""
    groups: dict[Labels, list[tuple[float, float]]] = {}
    for labels, value in buckets.items():
        group = frozenset((name, text) for name, text in labels if name != _LE)
        groups.setdefault(group, []).append((float(dict(labels)[_LE]), value))
    found: Vector = {}
    for group, counts in groups.items():
        ordered = sorted(counts)
        if (total := ordered[-1][1]) > 0:
            found[group] = next(bound for bound, count in ordered if count >= quantile * total)
    return found
