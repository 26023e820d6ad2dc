"""When an agent wants to be woken in a partition, and whether that has been done."""

from collections.abc import Callable
from typing import Any

from streams.engine.agent import Agent, Table, Wake

_MIN_WAIT_SECONDS = 0.02  # a wake that is due while records are still on their way must not spin


class WakeTimer:
    """The agent's next wake, each of which fires once."""

    def __init__(self, agent: Agent, clock: Callable[[], float]) -> None:
        self._agent = agent
        self._clock = clock
        self._next: Wake | None = None
        self._fired: Wake | None = None

    def plan(self, table: Table[Any]) -> None:
        """Ask the agent for its next wake, given its table as last committed. Raises StoreFailed."""
        self._fired = None
        if self._agent.wake is not None:
            self._next = self._agent.wake(table)

    def seconds_left(self) -> float | None:
        """Return the time until the next wake is due, or None where there is none."""
        if self._next is None or self._next == self._fired:
            return None
        return max(_MIN_WAIT_SECONDS, self._next.at / 1000 - self._clock())

    def due(self) -> Wake | None:
        """Return the wake whose instant has come, if it has not fired yet."""
        wake = self._next
        return wake if wake is not None and wake != self._fired and wake.at <= self._clock() * 1000 else None

    def overdue(self) -> float:
        """Return for how many seconds the next wake has been due: its record was not appended, or is not processed. The very first has no instant."""
        return 0.0 if self._next is None or self._next.at <= 0 else max(0.0, self._clock() - self._next.at / 1000)

    def mark_fired(self, wake: Wake) -> None:
        """Do not return this wake again until the next `plan`."""
        self._fired = wake
