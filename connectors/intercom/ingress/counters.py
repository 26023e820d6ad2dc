"""Counts what the ingress answers and keeps, and says loudly what must never happen.

Label values are bounded: names that come from outside are cut to what a topic looks like, and after a hundred of them the rest
counts as `others`.
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

_MOST_NAMES: Final = 100
_log = structlog.get_logger(__name__)


class IngressCounters:
    """The counters of one process, with the ones that every post needs at hand."""

    def __init__(self) -> None:
        self._answers: dict[int, Counter] = {}
        self._topics: dict[str, Counter] = {}
        self._names: set[tuple[str, str]] = set()
        self._refusing = False

    def answered(self, status: int, seconds: float) -> None:
        """Count an answer."""
        counter = self._answers.get(status)
        if counter is None:
            counter = self._answers[status] = INGRESS_ANSWERS.labels(status)
        counter.inc()
        INGRESS_SECONDS.observe(seconds)

    def disconnected(self) -> None:
        """Count a sender that went before its post was complete."""
        INGRESS_DISCONNECTED.inc()

    def accepted(self, post: RoutedPost) -> None:
        """Count a kept post by its topic; one in quarantine by reason and name."""
        self._refusing = False
        if post.quarantine is not None:
            self._count_quarantined(post.quarantine, post.name)
            return
        counter = self._topics.get(post.name)
        if counter is None:
            counter = INGRESS_POSTS.labels(self._bounded_label("topic", post.name))
            if len(self._topics) < _MOST_NAMES:
                self._topics[post.name] = counter
        counter.inc()

    def refused(self, reason: str) -> None:
        """Count a post that could not be kept; the first of a row is logged as an error."""
        INGRESS_REFUSED.inc()
        if not self._refusing:
            self._refusing = True
            _log.error("posts are refused with 503", reason=reason, hint="bring Kafka back, or give the spool's disk room")

    def _count_quarantined(self, why: Quarantine, name: str) -> None:
        INGRESS_QUARANTINED.labels(why, self._bounded_label(why, name)).inc()

    def _bounded_label(self, kind: str, name: str) -> str:
        if (kind, name) in self._names:
            return name
        if len(self._names) >= _MOST_NAMES:
            return "others"
        self._names.add((kind, name))
        return name
