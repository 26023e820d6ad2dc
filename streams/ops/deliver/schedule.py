"""When each event is posted, and when it is given up: no clock and no I/O in here.

Events of one finding are posted one after the other, in their order; different findings do not wait for each other. A failed event is tried
again after a pause that doubles. Where nothing is accepted any more one event at a time is tried, so that an endpoint that comes back is not
met by all that waits.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from enum import StrEnum
from typing import Final

import msgspec

HOUR_S: Final = 3600.0


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How an endpoint is treated. Times are seconds."""

    first_s: float = 1.0
    longest_s: float = 300.0
    give_up_s: float = 24 * HOUR_S
    pause_s: float = 72 * HOUR_S
    in_flight: int = 8
    failures_in_a_row: int = 10  # from so many on one event at a time is tried


class NextStep(StrEnum):
    """What follows from a failed post."""

    RETRY = "retry"
    GIVE_UP = "give up"  # the event is refused: make a dead letter of it, and call `forget`
    PAUSE = "pause"  # the endpoint accepts nothing: pause it


class Delivery(msgspec.Struct, kw_only=True, eq=False):
    """An event on its way. `place` is where it came from, `order` the finding whose events are posted one after the other."""

    place: Hashable
    order: str
    event: object
    attempts: int = 0
    first_failed_at: float | None = None
    due: float = 0.0
    reason: str = ""

    def __repr__(self) -> str:
        return f"Delivery({self.place!r}, attempts={self.attempts})"


class DeliverySchedule:
    """The deliveries of one endpoint. `now` is a monotonic clock in seconds."""

    def __init__(self, policy: RetryPolicy, chance: random.Random) -> None:
        self._policy, self._chance = policy, chance
        self._queues: dict[str, deque[Delivery]] = {}
        self._due: list[tuple[float, int, str]] = []  # the first of each queue that is not being posted
        self._added = 0
        self._in_flight: dict[str, Delivery] = {}
        self._accepted_at: float | None = None
        self._failing_since: float | None = None
        self._failures = 0
        self._not_before = 0.0

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    @property
    def failing_since(self) -> float | None:
        """Return since when every post has failed, None where the last one was accepted."""
        return self._failing_since

    @property
    def reason(self) -> str:
        """Return why the delivery that has failed for the longest failed last; empty where none has."""
        failed = [queue[0] for queue in self._queues.values() if queue[0].reason]
        return min(failed, key=lambda each: each.first_failed_at or 0.0).reason if failed else ""

    def failed_before(self, since: float) -> None:
        """Take over from another process that nothing was accepted since then, unless this one knows better."""
        if self._failing_since is None and self._accepted_at is None:
            self._failing_since = since

    def add(self, delivery: Delivery) -> None:
        """Add a delivery behind those of its finding. It may have failed in another process."""
        queue = self._queues.setdefault(delivery.order, deque())
        queue.append(delivery)
        if len(queue) == 1:
            self._push(delivery)

    def start(self, now: float) -> list[Delivery]:
        """Return what is to be posted now; each has to be answered with `accepted`, `failed` or `forget`."""
        most = 1 if self._failures >= self._policy.failures_in_a_row else self._policy.in_flight
        started: list[Delivery] = []
        while self._due and self._due[0][0] <= now and now >= self._not_before and len(self._in_flight) < most:
            _, _, order = heapq.heappop(self._due)
            queue = self._queues.get(order)
            if queue is None or order in self._in_flight or queue[0].due > now:
                continue  # its partition was taken away, or it is in the heap twice
            self._in_flight[order] = queue[0]
            started.append(queue[0])
        return started

    def accepted(self, delivery: Delivery, now: float) -> None:
        """Take a delivery out: the endpoint has it."""
        self._accepted_at, self._failing_since, self._failures, self._not_before = now, None, 0, 0.0
        self.forget(delivery)

    def failed(self, delivery: Delivery, now: float, reason: str, *, answered: bool, wait_s: float = 0.0) -> NextStep:
        """Note a failure, and return what follows. `answered`: the endpoint looked at the event and refused it; `wait_s` is what it asks for."""
        policy = self._policy
        self._in_flight.pop(delivery.order, None)
        self._failures += 1
        if self._failing_since is None:
            self._failing_since = now
        delivery.attempts += 1
        delivery.reason = reason
        if delivery.first_failed_at is None:
            delivery.first_failed_at = now
        others = self._accepted_at is not None and self._accepted_at > delivery.first_failed_at
        if now - delivery.first_failed_at >= policy.give_up_s and (answered or others):
            self._in_flight[delivery.order] = delivery  # until it is a dead letter
            return NextStep.GIVE_UP
        delivery.due = now + max(self._pause(delivery.attempts), wait_s)
        if self._failures >= policy.failures_in_a_row or wait_s:
            self._not_before = now + max(self._pause(max(1, self._failures - policy.failures_in_a_row)), wait_s)
        self._push(delivery)
        return NextStep.PAUSE if now - self._failing_since >= policy.pause_s else NextStep.RETRY

    def forget(self, delivery: Delivery) -> None:
        """Take a delivery out without an answer, and let the next of its finding be posted."""
        self._in_flight.pop(delivery.order, None)
        queue = self._queues.get(delivery.order)
        if queue is None or queue[0] is not delivery:
            return
        queue.popleft()
        if queue:
            self._push(queue[0])
        else:
            del self._queues[delivery.order]

    def hurry(self, now: float) -> None:
        """Try all at once, and count failures afresh: the endpoint was resumed."""
        self._failing_since, self._failures, self._not_before = None, 0, 0.0
        for queue in self._queues.values():
            queue[0].due = min(queue[0].due, now)
            for each in queue:
                each.first_failed_at = None
            self._push(queue[0])

    def remove(self, is_gone: Callable[[Hashable], bool]) -> None:
        """Take out all deliveries of places that are gone and are not being posted."""
        kept: Iterable[tuple[str, deque[Delivery]]] = [
            (order, deque(each for each in queue if not is_gone(each.place))) for order, queue in self._queues.items()
        ]
        self._queues = {order: queue for order, queue in kept if queue}
        self._in_flight = {
            order: each for order, each in self._in_flight.items() if order in self._queues and self._queues[order][0] is each
        }
        for order, queue in self._queues.items():
            if order not in self._in_flight:
                self._push(queue[0])

    def _push(self, delivery: Delivery) -> None:
        self._added += 1
        heapq.heappush(self._due, (delivery.due, self._added, delivery.order))

    def _pause(self, attempts: int) -> float:
        """Return the pause after so many attempts: doubled each time, less up to half by chance so that not all come at once."""
        whole = min(self._policy.first_s * 2.0 ** min(attempts - 1, 60), self._policy.longest_s)
        return whole * self._chance.uniform(0.5, 1.0)
