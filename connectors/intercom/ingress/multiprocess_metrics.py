"""One /metrics for several processes on one port: a scrape reaches any of them, and that process returns the metrics of all.

Each process writes its metrics to a file once a second; the scraped one merges its current metrics with the files of the others,
which are at most a second older. Every series has a label `process`, so rates stay right over restarts (a process begins at 0).
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_INTERVAL_S: Final = 1.0


class MultiprocessMetrics:
    """The metrics of this process, number `index` of `processes`, and of its siblings, exchanged through files in `folder`.

    `before_read` is called before this process' metrics are read.
    """

    def __init__(
        self,
        *,
        folder: Path,
        index: int,
        processes: int,
        registry: CollectorRegistry = REGISTRY,
        before_read: Callable[[], None] = lambda: None,
    ) -> None:
        self._registry = registry
        self._before_read = before_read
        self._folder = folder
        self._index = index
        self._processes = processes

    def page(self) -> bytes:
        """Return the page of all processes; with a single process no file is read."""
        texts = {str(self._index): self._own_page().decode()}
        for number in range(self._processes):
            if number != self._index and (file := self._file(number)).exists():
                texts[str(number)] = file.read_text()
        merged = CollectorRegistry()
        merged.register(_Merged(texts))
        return generate_latest(merged)

    async def publish(self) -> None:
        """Write this process' metrics for its siblings once a second, until cancelled."""
        while self._processes > 1:
            await asyncio.to_thread(self._write, self._own_page())
            await asyncio.sleep(_INTERVAL_S)

    def _own_page(self) -> bytes:
        self._before_read()
        return generate_latest(self._registry)

    def _write(self, page: bytes) -> None:
        target = self._file(self._index)
        draft = target.with_suffix(".new")
        draft.write_bytes(page)
        draft.replace(target)

    def _file(self, number: int) -> Path:
        return self._folder / f"metrics-{number}.prom"


class _Merged:
    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for process, text in self._texts.items():
            for family in text_string_to_metric_families(text):
                merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                merged.samples += [sample._replace(labels={**sample.labels, "process": process}) for sample in family.samples]
        return families.values()
