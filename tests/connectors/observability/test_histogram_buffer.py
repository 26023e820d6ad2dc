"""A buffered histogram is the histogram that observed the values itself."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from connectors.observability.histogram_buffer import HistogramBuffer


def histogram() -> tuple[CollectorRegistry, Histogram]:
    registry = CollectorRegistry()
    return registry, Histogram("seconds", "Time.", buckets=(0.25, 0.5, 1.0), registry=registry)


@given(st.lists(st.lists(st.sampled_from([0.0, 0.125, 0.25, 0.375, 0.5, 0.75, 1.0, 2.0]))))
def test_a_buffer_that_is_flushed_adds_what_was_observed(rounds: list[list[float]]) -> None:
    (direct_page, direct), (buffered_page, buffered) = histogram(), histogram()
    buffer = HistogramBuffer(buffered)
    for values in rounds:
        for value in values:
            direct.observe(value)
            buffer.observe(value)
        buffer.flush()
    assert _samples(buffered_page) == _samples(direct_page)


def _samples(registry: CollectorRegistry) -> list[bytes]:
    return [line for line in generate_latest(registry).splitlines() if b"_created" not in line]
