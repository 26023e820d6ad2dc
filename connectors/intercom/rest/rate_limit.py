"""How many calls a workspace has left, from Intercom's rate headers alone: no limit is known beforehand.

Headers of one window arrive in any order. Within a window what remains only falls, and each answer gives a latest time for its end
(`Date` is cut to the second, so the least of these comes close to the true one). Calls under way count as made. Once a window has
ended, the next one is taken to have the same limit, until its first answer comes.

A permit that nobody returns, since its holder was killed, expires after `LEASE_SECONDS`.
"""

from collections.abc import Callable
from typing import Final, Protocol

from connectors.intercom.rest.answers import Budget

LEASE_SECONDS: Final = 15.0  # longer than nearly all calls; a slower one is merely no longer counted as under way
IN_FLIGHT: Final = 64  # calls of a workspace at a time: enough for its limit at 300 ms a call
RESERVE: Final = 0.05  # share of a window left to the workspace's other apps, and to calls that another process has just made
PRESUMED_SECONDS: Final = 10.0  # how long a window is, until an answer says when it ends (Intercom documents ten seconds)
LOOK_SECONDS: Final = 0.25  # between two looks at a window that is used up: an answer may show that it ends earlier
BUSY_SECONDS: Final = 0.01  # between two looks while as many calls as allowed are under way


class RateBudget(Protocol):
    """The calls of one workspace. Take a permit for each call, and return it with the headers of the answer."""

    async def take(self, permit: str) -> float:
        """Return 0 if the call may be made now, else the seconds after which to ask again."""
        ...

    async def give_back(self, permit: str, budget: Budget | None, *, refused: bool = False) -> None:
        """Return a permit. `refused` is a 429: nothing remains of the window."""
        ...


class ProcessBudget:
    """The budget of a workspace that one process reads alone."""

    def __init__(self, clock: Callable[[], float], *, in_flight: int = IN_FLIGHT, reserve: float = RESERVE) -> None:
        self._clock, self._in_flight, self._reserve = clock, in_flight, reserve
        self._permits: dict[str, float] = {}
        self._limit = self._remaining = self._window = 0
        self._ends = float("inf")

    async def take(self, permit: str) -> float:
        now = self._clock()
        self._permits = {name: expires for name, expires in self._permits.items() if expires > now}
        under_way = len(self._permits)
        if under_way >= (self._in_flight if self._limit else 1):
            return BUSY_SECONDS
        if now >= self._ends:
            self._remaining, self._ends, self._window = self._limit, now + PRESUMED_SECONDS, self._window + 1
        if self._limit and self._remaining - under_way <= self._limit * self._reserve:
            return min(max(BUSY_SECONDS, self._ends - now), LOOK_SECONDS)
        self._permits[permit] = now + LEASE_SECONDS
        return 0.0

    async def give_back(self, permit: str, budget: Budget | None, *, refused: bool = False) -> None:
        self._permits.pop(permit, None)
        now = self._clock()
        if budget is None:
            self._remaining = 0 if refused else self._remaining - 1
        elif budget.window >= self._window:
            remaining, ends = 0 if refused else budget.remaining, now + budget.resets_in
            if budget.window == self._window:
                remaining, ends = min(self._remaining, remaining), min(self._ends, ends)
            self._window, self._limit, self._remaining, self._ends = budget.window, budget.limit, remaining, ends
