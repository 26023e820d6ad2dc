"""The budget of a workspace that several processes read, kept in Redis by the rules of `rate_limit.py`.

Each look and each return is one script, so two processes never take the same call; times are Redis's own, so the clocks of hosts do
not matter. While Redis is away a process goes by the headers that it sees itself, which count the calls of the others too.
"""

from collections.abc import Callable
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from connectors.intercom.rest.answers import Budget
from connectors.intercom.rest.rate_limit import (
    BUSY_SECONDS,
    IN_FLIGHT,
    LEASE_SECONDS,
    LOOK_SECONDS,
    PRESUMED_SECONDS,
    RESERVE,
    ProcessBudget,
)

_LOG: Final = structlog.get_logger()
_AGAIN_SECONDS: Final = 5.0  # between two tries while Redis is away
_KEPT_MS: Final = 3_600_000  # a workspace that nobody reads for an hour leaves nothing in Redis

_NOW: Final = "local time = redis.call('TIME') local now = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])\n"

_TAKE: Final = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local state = redis.call('HMGET', KEYS[1], 'limit', 'remaining', 'window', 'ends')
local limit, remaining = tonumber(state[1] or 0), tonumber(state[2] or 0)
local window, ends = tonumber(state[3] or 0), tonumber(state[4] or -1)
local under_way = redis.call('ZCARD', KEYS[2])
if under_way >= (limit > 0 and tonumber(ARGV[3]) or 1) then return tonumber(ARGV[7]) end
if ends >= 0 and now >= ends then
  remaining, ends, window = limit, now + tonumber(ARGV[6]), window + 1
  redis.call('HSET', KEYS[1], 'remaining', remaining, 'window', window, 'ends', ends)
end
if limit > 0 and remaining - under_way <= limit * tonumber(ARGV[4]) then
  return math.min(math.max(tonumber(ARGV[7]), ends - now), tonumber(ARGV[8]))
end
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[5]), ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[9])
return 0
"""
)

_GIVE_BACK: Final = (
    _NOW
    + """
redis.call('ZREM', KEYS[2], ARGV[2])
local refused = ARGV[3] == '1'
local state = redis.call('HMGET', KEYS[1], 'limit', 'remaining', 'window', 'ends')
local window = tonumber(state[3] or 0)
if ARGV[4] == '' then
  if state[2] then redis.call('HSET', KEYS[1], 'remaining', refused and 0 or state[2] - 1) end
elseif tonumber(ARGV[6]) >= window then
  local remaining, ends = refused and 0 or tonumber(ARGV[5]), now + tonumber(ARGV[7])
  if tonumber(ARGV[6]) == window then
    remaining, ends = math.min(tonumber(state[2]), remaining), math.min(tonumber(state[4]), ends)
  end
  redis.call('HSET', KEYS[1], 'limit', ARGV[4], 'remaining', remaining, 'window', ARGV[6], 'ends', ends)
end
redis.call('PEXPIRE', KEYS[1], ARGV[8])
return 0
"""
)


class RedisBudget:
    """The shared budget of one workspace. `prefix` is the installation's own, as its topics have."""

    def __init__(
        self,
        redis: Redis,
        app_id: str,
        clock: Callable[[], float],
        *,
        prefix: str = "",
        in_flight: int = IN_FLIGHT,
        reserve: float = RESERVE,
        on_away: Callable[[str], None] = lambda error: _LOG.warning(
            "redis is away; the rate budget is not shared meanwhile", error=error
        ),
        shift_ms: int = 0,
    ) -> None:
        self._keys = [f"{prefix}intercom-rest:{{{app_id}}}:{part}" for part in ("window", "permits")]
        self._take, self._give_back = redis.register_script(_TAKE), redis.register_script(_GIVE_BACK)
        self._in_flight, self._reserve, self.shift_ms = in_flight, reserve, shift_ms
        self._alone, self._clock = ProcessBudget(clock, in_flight=in_flight, reserve=reserve), clock
        self._away_until = 0.0
        self._on_away = on_away

    async def take(self, permit: str) -> float:
        """Return 0 for a permit, else the seconds to wait."""
        wait = await self._script(
            self._take,
            permit,
            self._in_flight,
            self._reserve,
            _ms(LEASE_SECONDS),
            _ms(PRESUMED_SECONDS),
            _ms(BUSY_SECONDS),
            _ms(LOOK_SECONDS),
            _KEPT_MS,
        )
        return await self._alone.take(permit) if wait is None else wait / 1000

    async def give_back(self, permit: str, budget: Budget | None, *, refused: bool = False) -> None:
        """Return a permit, to both budgets, so that a process alone begins with what it knows."""
        await self._alone.give_back(permit, budget, refused=refused)
        headers = ("", 0, 0, 0) if budget is None else (budget.limit, budget.remaining, budget.window, _ms(budget.resets_in))
        await self._script(self._give_back, permit, int(refused), *headers, _KEPT_MS)

    async def _script(self, script: Any, *arguments: Any) -> int | None:
        if self._clock() < self._away_until:
            return None
        try:
            answer = await script(keys=self._keys, args=[self.shift_ms, *arguments])
        except (RedisError, OSError) as error:
            self._away_until = self._clock() + _AGAIN_SECONDS
            self._on_away(type(error).__name__)
            return None
        return int(answer)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
