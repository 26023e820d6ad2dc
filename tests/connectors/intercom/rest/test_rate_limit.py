"""The budget of calls, alone in a process and shared over Redis, against a model of Intercom's windows."""

import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from connectors.intercom.rest.answers import Budget
from connectors.intercom.rest.rate_limit import IN_FLIGHT, LEASE_SECONDS, ProcessBudget, RateBudget
from connectors.intercom.rest.shared_rate_limit import RedisBudget

LIMIT, WINDOW = 90, 10.0


class MovableClock:
    """Real time, and more of it when a test says so; a budget in Redis, which has a clock of its own, is moved along."""

    def __init__(self) -> None:
        self._moved = 1_000.0
        self.shared: list[RedisBudget] = []

    def __call__(self) -> float:
        return time.monotonic() + self._moved

    def pass_seconds(self, seconds: float) -> None:
        self._moved += seconds
        for budget in self.shared:
            budget.shift_ms += round(seconds * 1000)


class WindowedServer:
    """Counts calls as Intercom does: so many in each ten seconds of its own clock, which is cut to seconds in `Date`."""

    def __init__(self, clock: MovableClock) -> None:
        self._clock = clock
        self.calls: dict[int, int] = {}
        self.refused = 0

    def call(self) -> tuple[Budget, bool]:
        now = self._clock() + 0.37  # its clock is not ours
        window = int(now // WINDOW)
        used = self.calls.get(window, 0)
        refused = used >= LIMIT
        self.refused += refused
        if not refused:
            self.calls[window] = used + 1
        ends = (window + 1) * int(WINDOW)
        return Budget(limit=LIMIT, remaining=max(0, LIMIT - used - 1), window=ends, resets_in=ends - int(now)), refused


MakeBudget = Callable[[], RateBudget]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest_asyncio.fixture(params=["process", "redis"])
async def make(request: pytest.FixtureRequest, clock: MovableClock, prefix: str) -> AsyncIterator[MakeBudget]:
    if request.param == "process":
        budget = ProcessBudget(clock)
        yield lambda: budget
        return
    async with Redis.from_url(request.getfixturevalue("redis_url")) as redis:

        def shared() -> RateBudget:
            clock.shared.append(RedisBudget(redis, "abc12345", clock, prefix=prefix))
            return clock.shared[-1]

        yield shared


@pytest.mark.asyncio
async def test_nearly_all_of_the_limit_is_used_and_nothing_refused(make: MakeBudget, clock: MovableClock) -> None:
    budgets, server = [make(), make()], WindowedServer(clock)
    under_way: list[tuple[RateBudget, str, Budget, bool]] = []
    for number in range(2_400):  # 60 s in steps of 25 ms; calls end every eight steps
        for at, budget in enumerate(budgets):
            permit = f"{number}-{at}"
            if len(under_way) < 2 * IN_FLIGHT and not await budget.take(permit):
                under_way.append((budget, permit, *server.call()))
        if number % 8 == 7:
            for budget, permit, headers, refused in under_way:
                await budget.give_back(permit, headers, refused=refused)
            under_way.clear()
        clock.pass_seconds(0.025)
    whole_windows = sorted(server.calls)[1:-1]
    assert server.refused == 0
    assert min(server.calls[window] for window in whole_windows) >= 0.9 * LIMIT


@pytest.mark.asyncio
async def test_until_the_first_answer_there_is_one_call(make: MakeBudget) -> None:
    first, second = make(), make()
    assert await first.take("a") == 0
    assert await second.take("b") > 0
    await first.give_back("a", Budget(limit=100, remaining=99, window=50, resets_in=5))
    assert [await second.take(name) for name in "bc"] == [0, 0]


@pytest.mark.asyncio
async def test_a_dead_holder_s_permits_come_free(make: MakeBudget, clock: MovableClock) -> None:
    dead, alive = make(), make()
    await dead.take("a")
    await dead.give_back("a", Budget(limit=1_000, remaining=900, window=50, resets_in=60))
    assert [await dead.take(f"dead{n}") for n in range(IN_FLIGHT)] == [0] * IN_FLIGHT
    assert await alive.take("b") > 0
    clock.pass_seconds(LEASE_SECONDS + 0.1)
    assert LEASE_SECONDS < 20
    assert await alive.take("b") == 0


@pytest.mark.asyncio
async def test_a_refusal_ends_the_window(make: MakeBudget, clock: MovableClock) -> None:
    budget = make()
    await budget.take("a")
    await budget.give_back("a", Budget(limit=100, remaining=80, window=50, resets_in=7), refused=True)
    assert await budget.take("b") > 0
    clock.pass_seconds(7.1)
    assert await budget.take("b") == 0


@pytest.mark.asyncio
async def test_answers_in_any_order_leave_the_least(make: MakeBudget, clock: MovableClock) -> None:
    budget = make()
    for remaining, window in ((40, 60), (6, 60), (39, 60), (90, 50)):
        await budget.take("a")
        await budget.give_back("a", Budget(limit=100, remaining=remaining, window=window, resets_in=9))
    assert await budget.take("b") == 0  # six remain, and five are a reserve
    assert await budget.take("c") > 0


@pytest.mark.asyncio
async def test_answers_without_headers_count_as_calls_and_never_stop_for_good(make: MakeBudget, clock: MovableClock) -> None:
    budget = make()
    await budget.take("a")
    await budget.give_back("a", Budget(limit=10, remaining=2, window=50, resets_in=3))
    for _ in range(40):
        if not await budget.take("x"):
            await budget.give_back("x", None)
    assert await budget.take("x") > 0
    for _ in range(3):
        clock.pass_seconds(11)
        assert await budget.take("x") == 0
        await budget.give_back("x", None)


@pytest.mark.asyncio
async def test_without_redis_a_process_goes_by_what_it_sees(clock: MovableClock, unused_tcp_port: int) -> None:
    async with Redis.from_url(f"redis://127.0.0.1:{unused_tcp_port}/0") as redis:
        budget = RedisBudget(redis, "abc12345", clock)
        assert await budget.take("a") == 0
        assert await budget.take("b") > 0
        await budget.give_back("a", Budget(limit=100, remaining=99, window=50, resets_in=5))
        assert await budget.take("b") == 0


@pytest.mark.asyncio
async def test_redis_is_asked_again_once_it_is_back(
    clock: MovableClock, redis_url: str, unused_tcp_port: int, prefix: str
) -> None:
    async with Redis.from_url(redis_url) as redis, Redis.from_url(f"redis://127.0.0.1:{unused_tcp_port}/0") as nowhere:
        away = RedisBudget(nowhere, "abc12345", clock, prefix=prefix)
        await away.take("a")
        here = RedisBudget(redis, "abc12345", clock, prefix=prefix)
        away._take = here._take
        assert not await redis.keys(f"{prefix}*")
        clock.pass_seconds(5.1)
        await away.take("b")
        assert await redis.keys(f"{prefix}*")
