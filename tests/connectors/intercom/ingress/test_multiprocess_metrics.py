"""One page of metrics for several processes, whichever of them is scraped."""

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter

from connectors.intercom.ingress.multiprocess_metrics import MultiprocessMetrics


def exposition(folder: Path, index: int, count: float) -> MultiprocessMetrics:
    registry = CollectorRegistry()
    Counter("posts", "Posts.", ["topic"], registry=registry).labels("ping").inc(count)
    return MultiprocessMetrics(folder=folder, index=index, processes=2, registry=registry)


def test_a_page_has_the_numbers_of_every_process_under_its_own_label(tmp_path: Path) -> None:
    first, second = exposition(tmp_path, 0, 3), exposition(tmp_path, 1, 4)
    second._write(second._own_page())
    lines = first.page().decode().splitlines()
    assert 'posts_total{process="0",topic="ping"} 3.0' in lines
    assert 'posts_total{process="1",topic="ping"} 4.0' in lines
    assert lines.count("# TYPE posts_total counter") == 1


def test_a_process_that_has_left_no_numbers_is_not_missed(tmp_path: Path) -> None:
    assert b'process="0"' in exposition(tmp_path, 0, 3).page()
