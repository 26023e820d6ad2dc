"""When Intercom sends a webhook, again, later, or not at all. Pure: the time, the faults and the answers come in as values.

Sources: Intercom's pages "Webhook models" and "Webhook notifications": five seconds for an answer, one retry after a minute, 410 disables,
429 throttles for one minute up to two hours and drops what waited for longer, more than 1,000 errors in succession within 15 minutes
pause for 15 minutes, a week of errors suspends, and what was stored during an outage of Intercom comes newest first.
"""

from collections import Counter, deque
from enum import StrEnum
from heapq import heappop, heappush
from typing import Any, Final

import msgspec

from connectors.simulator.rest.faults import Faults
from connectors.simulator.workspace.identifiers import mixed

_MINUTE: Final = 60_000
RETRY_MS: Final = _MINUTE
ANSWER_WITHIN_MS: Final = 5_000
LEAST_THROTTLE_MS, MOST_THROTTLE_MS = _MINUTE, 120 * _MINUTE
ERRORS, ERRORS_WITHIN_MS, PAUSE_MS = 1_000, 15 * _MINUTE, 15 * _MINUTE
SUSPEND_AFTER_MS: Final = 7 * 24 * 60 * _MINUTE
_GONE, _TOO_MANY = 410, 429


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook to send. A duplicate and a retry have the same `id`; only a ping has none."""

    number: int
    id: str | None
    topic: str
    about: str
    item: dict[str, Any]
    created_ms: int
    attempts: int = 0
    first_sent_ms: int | None = None


class Standing(StrEnum):
    LIVE = "live"
    DISABLED = "disabled"
    SUSPENDED = "suspended"


class Undelivered(msgspec.Struct, frozen=True):
    """A webhook that never was delivered, and why."""

    id: str | None
    topic: str
    about: str
    reason: str


class WebhookSubscription:
    """The queue of one endpoint. `speed` shortens all that Intercom waits for."""

    def __init__(self, seed: int, speed: float = 1.0) -> None:
        self.standing = Standing.LIVE
        self.counts: Counter[str] = Counter()
        self.undelivered: list[Undelivered] = []
        self._seed, self._speed = seed, speed
        self._fresh: deque[Notification] = deque()
        self._backlog: list[Notification] = []  # what had to wait, the newest last
        self._retries: list[
            tuple[int, int, int, Notification]
        ] = []  # due when, which, and the error before it: a duplicate has another
        self._errors: deque[int] = deque(maxlen=ERRORS + 1)
        self._errors_since: int | None = None
        self._paused_until = self._throttled_until = self._throttle = 0
        self._sent = 0

    def offer(self, notification: Notification, faults: Faults, now_ms: int) -> None:
        """Queue a new webhook, or drop it where the subscription does not get it."""
        self.counts["created"] += 1
        if self.standing is not Standing.LIVE:
            self._drop(notification, str(self.standing))
        elif now_ms < self._paused_until:
            self._drop(notification, "paused")
        elif self._happens(faults.lost, notification, 30):
            self._drop(notification, "lost")
        elif faults.outage:
            self._backlog.append(notification)
        else:
            copies = 1 + self._happens(faults.duplicated, notification, 31)
            self.counts["duplicated"] += copies - 1
            self._fresh.extend([notification] * copies)

    def due(self, faults: Faults, now_ms: int) -> Notification | None:
        """Return what to send now, counted as an attempt: retries first, then what is new, then the backlog, newest first."""
        while not faults.outage and self.standing is Standing.LIVE and now_ms >= max(self._paused_until, self._throttled_until):
            found = self._next(faults, now_ms)
            if found is None:
                return None
            if now_ms - found.created_ms > self._wait(MOST_THROTTLE_MS) and self._throttle:
                self._drop(found, "throttled for too long")
                continue
            return msgspec.structs.replace(
                found, attempts=found.attempts + 1, first_sent_ms=now_ms if found.first_sent_ms is None else found.first_sent_ms
            )
        return None

    def answered(self, sent: Notification, status: int | None, now_ms: int) -> None:
        """Take the answer to an attempt; None is no answer within five seconds."""
        self.counts["attempts"] += 1
        if status is not None and 200 <= status < 300:  # noqa: PLR2004  success, as HTTP defines it
            self.counts["delivered"] += 1
            self._errors.clear()
            self._errors_since, self._throttle = None, 0
        elif self.standing is not Standing.LIVE:
            self._drop(sent, str(self.standing))
        elif status == _GONE:
            self._stop(Standing.DISABLED, sent)
        elif status == _TOO_MANY:
            if now_ms >= self._throttled_until:  # else it was under way when another one was answered 429
                self._throttle = min(max(LEAST_THROTTLE_MS, self._throttle * 2), MOST_THROTTLE_MS)
                self._throttled_until = now_ms + self._wait(self._throttle)
            self._wait_in_backlog(msgspec.structs.replace(sent, attempts=sent.attempts - 1))
        else:
            self._failed(sent, now_ms)

    def set_live(self) -> None:
        """Do what the button "Set live" does."""
        self.standing, self._errors_since = Standing.LIVE, None
        self._errors.clear()
        self._paused_until = self._throttled_until = self._throttle = 0

    def next_at(self, now_ms: int) -> int | None:
        """Return when something may become due, None if only a new webhook can."""
        if self.standing is not Standing.LIVE or not self.waiting:
            return None
        ready = now_ms if self._fresh or self._backlog else self._retries[0][0]
        return max(ready, self._paused_until, self._throttled_until)

    @property
    def waiting(self) -> int:
        return len(self._fresh) + len(self._backlog) + len(self._retries)

    def _next(self, faults: Faults, now_ms: int) -> Notification | None:
        if self._retries and self._retries[0][0] <= now_ms:
            return heappop(self._retries)[-1]
        if self._fresh:
            self._sent += 1
            reach = min(len(self._fresh), faults.disorder + 1)
            place = mixed(self._seed, self._sent, 32) % reach
            found = self._fresh[place]
            del self._fresh[place]
            return found
        return self._backlog.pop() if self._backlog else None

    def _failed(self, sent: Notification, now_ms: int) -> None:
        self.counts["errors"] += 1
        self._errors.append(now_ms)
        self._errors_since = now_ms if self._errors_since is None else self._errors_since
        if sent.attempts == 1:
            heappush(self._retries, (now_ms + self._wait(RETRY_MS), sent.number, self.counts["errors"], sent))
        else:
            self._drop(sent, "failed twice")
        if len(self._errors) > ERRORS and now_ms - self._errors[0] <= self._wait(ERRORS_WITHIN_MS):
            self._paused_until = now_ms + self._wait(PAUSE_MS)
            self._errors.clear()
            self.counts["pauses"] += 1
        if now_ms - self._errors_since > self._wait(SUSPEND_AFTER_MS):
            self._stop(Standing.SUSPENDED)

    def _wait_in_backlog(self, notification: Notification) -> None:
        """Put what waits into the backlog, all that is new with it: it resumes newest first."""
        waiting = [*self._backlog, notification, *self._fresh]
        self._fresh.clear()
        self._backlog = sorted(waiting, key=lambda each: (each.created_ms, each.number))

    def _stop(self, standing: Standing, sent: Notification | None = None) -> None:
        self.standing = standing
        waiting = [*self._backlog, *self._fresh, *(entry[-1] for entry in self._retries), *([sent] if sent else [])]
        self._fresh.clear()
        self._backlog.clear()
        self._retries.clear()
        for notification in waiting:
            self._drop(notification, str(standing))

    def _drop(self, notification: Notification, reason: str) -> None:
        self.counts[f"dropped: {reason}"] += 1
        self.undelivered.append(Undelivered(notification.id, notification.topic, notification.about, reason))

    def _happens(self, share: float, notification: Notification, purpose: int) -> bool:
        return mixed(self._seed, notification.number, purpose) < share * 2.0**64

    def _wait(self, ms: int) -> int:
        return max(1, round(ms / self._speed))
