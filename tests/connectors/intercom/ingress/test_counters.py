"""Counts reach the metrics when these are read, each exactly once, and names from outside are bounded."""

import pytest
from prometheus_client import REGISTRY

from connectors.intercom.ingress.counters import IngressCounters
from connectors.intercom.ingress.routing import RoutedPost


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"intercom_streams_{name}", labels) or 0.0


@pytest.mark.parametrize("flushes", [1, 3])
def test_counts_are_in_the_metrics_after_a_flush_and_only_once(flushes: int) -> None:
    counters = IngressCounters()
    before = value("ingress_answers_total", status="200"), value("ingress_posts_total", topic="counted.twice")
    seconds = value("ingress_answer_seconds_count")
    for _ in range(2):
        counters.answered(200, 0.003)
        counters.accepted(RoutedPost((), "counted.twice"))
    for _ in range(flushes):
        counters.flush()
    after = value("ingress_answers_total", status="200"), value("ingress_posts_total", topic="counted.twice")
    assert (after[0] - before[0], after[1] - before[1], value("ingress_answer_seconds_count") - seconds) == (2, 2, 2)


def test_after_a_hundred_names_the_others_count_as_one() -> None:
    counters = IngressCounters()
    before = value("ingress_posts_total", topic="others")
    for _ in range(2):
        for number in range(110):
            counters.accepted(RoutedPost((), f"bounded.{number}"))
        counters.flush()
    assert value("ingress_posts_total", topic="others") - before == 20
    assert value("ingress_posts_total", topic="bounded.99") == 2
    assert value("ingress_posts_total", topic="bounded.100") == 0
