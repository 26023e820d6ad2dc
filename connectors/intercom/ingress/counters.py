"""Counts the ingress' responses and persisted posts, and logs an error when posts are refused.

Answers and posts are counted in plain numbers and go to the metrics when these are read: a post would otherwise take three locks.
Label values are bounded: a name from outside has to look like a topic, and after a hundred names the others count as `others`.
"""

from collections import Counter
from typing import Final

import structlog

from connectors.intercom.ingress.routing import Quarantine, RoutedPost
from connectors.observability.histogram_buffer import HistogramBuffer
from connectors.observability.metrics import (
    INGRESS_ANSWERS,
    INGRESS_DISCONNECTED,
    INGRESS_POSTS,
    INGRESS_QUARANTINED,
    INGRESS_REFUSED,
    INGRESS_SECONDS,
)

_MAX_NAMES: Final = 100
_log = structlog.get_logger(__name__)


class IngressCounters:
    """The counters of one process. `flush` has to be called before the metrics are read."""

    def __init__(self) -> None:
        self._responses: Counter[int] = Counter()
        self._topics: Counter[str] = Counter()
        self._times = HistogramBuffer(INGRESS_SECONDS)
        self._names: set[tuple[str, str]] = set()
        self._refusing = False

    def answered(self, status: int, seconds: float) -> None:
        """Count a response."""
        self._responses[status] += 1
        self._times.observe(seconds)

    def flush(self) -> None:
        """Add what was counted since the last time to the metrics."""
        for status, count in self._responses.items():
            INGRESS_ANSWERS.labels(status).inc(count)
        for topic, count in self._topics.items():
            INGRESS_POSTS.labels(topic).inc(count)
        self._responses.clear()
        self._topics.clear()
        self._times.flush()

    def disconnected(self) -> None:
        """Count a sender that disconnected before its post was complete."""
        INGRESS_DISCONNECTED.inc()

    def accepted(self, post: RoutedPost) -> None:
        """Count a persisted post by its topic; one in quarantine by reason and name."""
        self._refusing = False
        if post.quarantine is not None:
            self._count_quarantined(post.quarantine, post.name)
            return
        self._topics[post.name if post.name in self._topics else self._bounded_label("topic", post.name)] += 1

    def refused(self, reason: str) -> None:
        """Count a post that could not be persisted; log the first of a series as an error."""
        INGRESS_REFUSED.inc()
        if not self._refusing:
            self._refusing = True
            _log.error("posts are refused with 503", reason=reason, hint="bring Kafka back, or give the spool's disk room")

    def _count_quarantined(self, reason: Quarantine, name: str) -> None:
        INGRESS_QUARANTINED.labels(reason, self._bounded_label(reason, name)).inc()

    def _bounded_label(self, label: str, name: str) -> str:
        if (label, name) in self._names:
            return name
        if len(self._names) >= _MAX_NAMES:
            return "others"
        self._names.add((label, name))
        return name
