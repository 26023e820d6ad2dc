"""The page of metrics, generated from their table: `python -m connectors.observability.page`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connectors.observability.metrics import METRICS, Instrument

FILE: Final = Path(__file__).parents[2] / "docs" / "metrics.md"
_PROCESSES: Final = {
    "ingress_": "ingress",
    "scim_": "SCIM server",
    "rest_": "sync, backfill",
    "sync_": "sync",
    "webhook_": "deliver",
    "event_file_": "deliver",
    "": "worker",
}
_HEAD: Final = """# Metrics

Every metric of the product, generated from `connectors/observability/metrics.py` by `python -m connectors.observability.page`. Each process serves them at `/metrics`, and has samples
of those that it sets. No label holds an id, a name or an address of a person. An ingress adds the label `process` to all.

`deploy/grafana/dashboard.json` shows them, and `deploy/prometheus/alerts.yml` alerts on them; each alert names its place in [operations.md](operations.md). `deploy/prometheus/prometheus.yml` is an example of how to scrape.

| metric | set by | kind | labels | what it is |
|---|---|---|---|---|
"""


def series(metric: Instrument) -> str:
    """Return a metric's name as it is scraped, without the endings of a histogram's parts."""
    described = next(iter(metric.describe()))
    return f"{described.name}_total" if described.type == "counter" else str(described.name)


def page() -> str:
    """Return the page."""
    return _HEAD + "".join(f"{line}\n" for line in _rows())


def _rows() -> Iterator[str]:
    for metric in METRICS:
        described = next(iter(metric.describe()))
        plain = described.name.removeprefix("intercom_streams_")
        process = next(name for prefix, name in _PROCESSES.items() if plain.startswith(prefix))
        labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001  # the library has no public way
        yield f"| `{series(metric)}` | {process} | {described.type} | {labels} | {described.documentation} |"


if __name__ == "__main__":
    FILE.write_text(page())
    sys.stdout.write(f"{FILE.name} is up to date\n")
