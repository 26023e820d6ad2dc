"""Queries of the dashboard and of the alerts: each parses, and names only metrics and labels that exist."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

from connectors.observability.metrics import METRICS
from connectors.observability.page import FILE, page, series

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text())
ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]  # fmt: skip
OPERATIONS = (ROOT / "docs/operations.md").read_text()
FROM_OUTSIDE = {"up": {"job", "instance"}}
PARTS_OF_HISTOGRAMS = ("_bucket", "_sum", "_count")


def known() -> dict[str, set[str]]:
    """Return the labels of each series."""
    found = {name: set(labels) for name, labels in FROM_OUTSIDE.items()}
    for metric in METRICS:
        labels = {*metric._labelnames, "process"}
        if metric._type == "histogram":
            found |= {
                f"{series(metric)}{part}": labels | ({"le"} if part == "_bucket" else set()) for part in PARTS_OF_HISTOGRAMS
            }
        else:
            found[series(metric)] = labels
    return found


def queries() -> Iterator[Any]:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield pytest.param(target["expr"].replace("$__rate_interval", "5m"), id=f"panel {panel['title']} {target['refId']}")
    for rule in ALERTS:
        yield pytest.param(rule["expr"], id=f"alert {rule['alert']}")


def selectors(node: Any) -> Iterator[tuple[str, set[str]]]:
    """Yield each metric that an expression reads, with the labels that are asked of it on the way."""
    match node:
        case promql.VectorSelector():
            yield node.name, {matcher.name for matcher in node.matchers.matchers}
        case promql.MatrixSelector():
            yield from selectors(node.vector_selector)
        case promql.AggregateExpr():
            wanted = set(node.modifier.labels) if node.modifier else set()
            yield from ((name, labels | wanted) for name, labels in selectors(node.expr))
        case promql.BinaryExpr():
            yield from selectors(node.lhs)
            yield from selectors(node.rhs)
        case promql.Call():
            for argument in node.args:
                yield from selectors(argument)
        case promql.ParenExpr() | promql.UnaryExpr():
            yield from selectors(node.expr)


@pytest.mark.parametrize("query", list(queries()))
def test_a_query_parses_and_names_what_exists(query: str):
    read = list(selectors(promql.parse(query)))
    assert read
    series_ = known()
    for name, labels in read:
        assert name in series_, f"{name} is no metric"
        assert labels <= series_[name], f"{name} has no {labels - series_[name]}"


def test_every_metric_is_on_the_dashboard():
    """What is measured and looked at by nobody is not worth its memory."""
    shown = {name for query in queries() for name, _ in selectors(promql.parse(query.values[0]))}
    missing = [series(metric) for metric in METRICS if not any(name.startswith(series(metric)) for name in shown)]
    assert missing == []


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_where_help_is(rule: dict[str, Any]):
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")
    document, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert document == "operations.md"
    assert anchor in {_anchor(heading) for heading in re.findall(r"^#+ (.*)$", OPERATIONS, re.MULTILINE)}


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_panels_have_ids_of_their_own_and_do_not_overlap():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_the_page_of_metrics_is_the_table():
    assert page() == FILE.read_text(), "run `python -m connectors.observability.page`"
