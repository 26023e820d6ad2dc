"""A campaign: events flow, things break at random moments, and in the end everything is counted from the input alone."""

import asyncio
import contextlib
import json
import random
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
from aiokafka.errors import KafkaError

from connectors.kafka import KafkaSettings
from connectors.local import LocalStack
from streams.engine import positions
from streams.engine.names import Names
from tests.engine.counting import OUT, PARTITIONS, SECOND, SOURCE, create_topics, producing, read_all, write
from tests.faults.counting_worker import AGENT
from tests.faults.fleet import Fleet

KEYS = 200
_SETTLE_SECONDS = 150.0


class Campaign:
    """Two to four workers on one cluster. `stack` is given where brokers may be harmed too, `state` where tables are on disk."""

    def __init__(
        self, settings: KafkaSettings, folder: Path, seed: int, stack: LocalStack | None = None, state: str = ""
    ) -> None:
        self.settings = settings
        self.chance = random.Random(seed)
        self.stack = stack
        self.workers = Fleet(
            ["-m", "tests.faults.counting_worker", settings.bootstrap, settings.topic_prefix, state],
            folder,
            {"KAFKA_BOOTSTRAP": settings.bootstrap},
        )
        self.did: list[str] = []

    async def run(self, disturbances: int, kinds: list[str]) -> None:
        """Disturb so many times, then verify."""
        await create_topics(self.settings, AGENT)
        try:
            for _ in range(2):
                self.workers.start()
            async with self._feeding():
                await asyncio.sleep(self.chance.uniform(3, 5))
                for _ in range(disturbances):
                    kind = self.chance.choice(kinds)
                    self.did.append(kind)
                    await KINDS[kind](self)
                    self._all_alive()
                    await asyncio.sleep(self.chance.uniform(0.2, 4))
            await self._verify()
        finally:
            self.workers.close()

    @contextlib.asynccontextmanager
    async def _feeding(self) -> AsyncIterator[None]:
        """Write about 400 events a second to two sources; what could not be written was no input."""

        async def feed() -> None:
            async with producing(self.settings, enable_idempotence=True, request_timeout_ms=10_000) as producer:
                number = 0
                while True:
                    number += 1
                    key = f"k{self.chance.randrange(KEYS)}"
                    with contextlib.suppress(KafkaError):
                        await asyncio.gather(*(write(producer, self.settings, topic, key) for topic in (SOURCE, SECOND)))
                    await asyncio.sleep(0.004)

        task = asyncio.create_task(feed())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _all_alive(self) -> None:
        assert self.workers.died() == [], f"a worker gave up after {self.did}\n{self.workers.last_words()}"

    async def _verify(self) -> None:
        """Every input has exactly one output, counts follow each other without a hole, and the table is the last count."""
        wanted = {
            (topic, record.partition, record.offset): record.key.decode()
            for topic in (SOURCE, SECOND)
            for record in await read_all(self.settings, topic)
        }
        found: list[tuple[str, int, int]] = []
        deadline = asyncio.get_running_loop().time() + _SETTLE_SECONDS
        while len(found) < len(wanted) and asyncio.get_running_loop().time() < deadline:
            self._all_alive()
            await asyncio.sleep(1)
            outputs = [(record.partition, json.loads(record.value)) for record in await read_all(self.settings, OUT)]
            found = [(value["topic"], partition, value["offset"]) for partition, value in outputs]
        twice = [place for place, times in Counter(found).items() if times > 1]
        missing = wanted.keys() - set(found)
        story = f"after {self.did}\n{self.workers.last_words()}"
        assert not twice, f"{len(twice)} outputs twice, as {twice[0]} {story}"
        assert not missing, f"{len(missing)} of {len(wanted)} without output, as {min(missing)} {story}"
        counts: dict[str, list[int]] = defaultdict(list)
        for _, value in outputs:
            counts[value["key"]].append(value["n"])
        assert counts == {key: list(range(1, times + 1)) for key, times in Counter(wanted.values()).items()}, story
        assert await self._table() == Counter(wanted.values()), story

    async def _table(self) -> dict[str, int]:
        names = Names(prefix=self.settings.topic_prefix)
        rows: dict[str, int] = {}
        for record in await read_all(self.settings, names.changelog(AGENT.name)):
            if record.key != positions.KEY:
                rows[record.key.decode()] = msgspec.msgpack.decode(record.value)
        return rows

    def _worker(self) -> int:
        return self.chance.randrange(len(self.workers.running))

    def _broker(self) -> tuple[LocalStack, int]:
        assert self.stack is not None
        return self.stack, self.chance.randint(1, 3)


async def kill_worker(campaign: Campaign) -> None:
    """SIGKILL one and start another."""
    campaign.workers.kill(campaign._worker())
    await asyncio.sleep(campaign.chance.uniform(0, 3))
    campaign.workers.start()


async def zombie(campaign: Campaign) -> None:
    """Freeze one for longer than its session, then let it go on as if nothing had been."""
    process = campaign.workers.freeze(campaign._worker())
    await asyncio.sleep(campaign.chance.uniform(8, 12))
    process.send_signal(signal.SIGCONT)


async def join(campaign: Campaign) -> None:
    """One more worker, up to four."""
    if len(campaign.workers.running) < PARTITIONS:
        campaign.workers.start()


async def leave(campaign: Campaign) -> None:
    """One worker less, down to one."""
    if len(campaign.workers.running) > 1:
        await asyncio.to_thread(campaign.workers.leave, campaign._worker())


async def kill_broker(campaign: Campaign) -> None:
    """SIGKILL a broker and start it again."""
    stack, node = campaign._broker()
    await asyncio.to_thread(stack.kill_broker, node)
    await asyncio.sleep(campaign.chance.uniform(0, 6))
    await asyncio.to_thread(stack.start_broker, node)


async def restart_broker(campaign: Campaign) -> None:
    """Stop a broker in order and start it again."""
    stack, node = campaign._broker()
    await asyncio.to_thread(stack.stop_broker, node)
    await asyncio.to_thread(stack.start_broker, node)


async def freeze_broker(campaign: Campaign) -> None:
    """A broker that answers nothing for a while."""
    stack, node = campaign._broker()
    await asyncio.to_thread(stack.pause_broker, node)
    await asyncio.sleep(campaign.chance.uniform(2, 8))
    await asyncio.to_thread(stack.resume_broker, node)


KINDS: dict[str, Callable[[Campaign], Awaitable[None]]] = {
    "kill worker": kill_worker,
    "zombie": zombie,
    "join": join,
    "leave": leave,
    "kill broker": kill_broker,
    "restart broker": restart_broker,
    "freeze broker": freeze_broker,
}
WORKERS = ["kill worker", "kill worker", "zombie", "join", "leave"]
BROKERS = ["kill broker", "restart broker", "freeze broker", "kill worker"]
