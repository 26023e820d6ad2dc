"""The table of metrics: complete, well named, used, and without anything that could name a person."""

import re
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from connectors.observability import metrics

ROOT = Path(__file__).parents[3]
INSTRUMENTS = {name: value for name, value in vars(metrics).items() if isinstance(value, MetricWrapperBase)}
HARMLESS_LABELS = {
    "status",
    "topic",
    "reason",
    "name",
    "where",
    "agent",
    "partition",
    "process",
    "method",
    "kind",
    "endpoint",
    "result",
    "tenant",
    "app_id",
    "object",
    "when",
}


def test_every_metric_is_in_the_table() -> None:
    assert set(metrics.METRICS) == set(INSTRUMENTS.values())


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_a_metric_says_in_a_sentence_what_it_counts_and_is_named_as_ours(name: str) -> None:
    described = INSTRUMENTS[name].describe()[0]
    assert re.fullmatch(r"intercom_streams_[a-z_]+", described.name)
    assert described.documentation.endswith(".")
    assert isinstance(INSTRUMENTS[name], Counter | Gauge | Histogram)


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_no_label_could_name_a_person(name: str) -> None:
    assert set(INSTRUMENTS[name]._labelnames) <= HARMLESS_LABELS


def test_every_metric_is_counted_somewhere() -> None:
    folders = [ROOT / "connectors", ROOT / "streams"]
    source = "".join(path.read_text() for folder in folders for path in folder.rglob("*.py") if path.name != "metrics.py")
    assert [name for name in INSTRUMENTS if not re.search(rf"\b{name}\b", source)] == []
