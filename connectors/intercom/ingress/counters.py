"""Counts the ingress' responses and persisted posts, and logs an error when posts are refused.

Label values are bounded: a name from outside has to look like a topic, and after a hundred names the others count as `others`.
"""

from typing import Final

import structlog
from prometheus_client import Counter

from connectors.intercom.ingress.routing import Quarantine, RoutedPost
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
    """The counters of one process. Labelled counters are cached: looking one up for every post would cost more than counting."""

    def __init__(self) -> None:
        self._responses: dict[int, Counter] = {}
        self._topics: dict[str, Counter] = {}
        self._names: set[tuple[str, str]] = set()
        self._refusing = False

    def answered(self, status: int, seconds: float) -> None:
        """Count a response."""
        counter = self._responses.get(status)
        if counter is None:
            counter = self._responses[status] = INGRESS_ANSWERS.labels(status)
        counter.inc()
        INGRESS_SECONDS.observe(seconds)

    def disconnected(self) -> None:
        """Count a sender that disconnected before its post was complete."""
        INGRESS_DISCONNECTED.inc()

    def accepted(self, post: RoutedPost) -> None:
        """Count a persisted post by its topic; one in quarantine by reason and name."""
        self._refusing = False
        if post.quarantine is not None:
            self._count_quarantined(post.quarantine, post.name)
            return
        counter = self._topics.get(post.name)
        if counter is None:
            counter = INGRESS_POSTS.labels(self._bounded_label("topic", post.name))
            if len(self._topics) < _MAX_NAMES:
                self._topics[post.name] = counter
        counter.inc()

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
