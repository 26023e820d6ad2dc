"""A worker process with standby copies, and what it prints about them: the test of takeovers kills and starts these.

`python -m tests.streams.engine.recovery.standby_worker BOOTSTRAP PREFIX memory|disk FOLDER`
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Self

from connectors.kafka.settings import KafkaSettings
from streams.engine.recovery.progress import RestoreDone, RestoreProgress
from streams.engine.runner import Running, running
from streams.engine.tables.rocksdb import RocksStores
from streams.engine.tables.store import MemoryStandbyStores, StandbyStores, open_memory_store
from tests.faults.counting_worker import AGENT, LIMITS
from tests.patience import DEADLINE_S
from tests.support import changelogs
from tests.support.counting_agent import PARTITIONS

ROOT = Path(__file__).parents[4]


def stores(kind: str, folder: Path) -> tuple[RocksStores | None, StandbyStores]:
    """Return the stores of one host, on disk or None, and its standby stores."""
    disk = RocksStores(folder, frozenset({changelogs.AGENT.name, AGENT.name})) if kind == "disk" else None
    return disk, disk or MemoryStandbyStores()


def followed(work: Running, partitions: int) -> bool:
    """Say whether the worker has copies of this many partitions, read to the end."""
    lag = work.engine.standby_lag()
    return len(lag) == partitions and not any(lag.values())


class Workers:
    """Processes of this module, each with a host's disk of its own; what they print is read line by line."""

    def __init__(self, settings: KafkaSettings, kind: str, folder: Path) -> None:
        self._settings = settings
        self._kind = kind
        self._folder = folder
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in list(self._running):
            await self.kill(name)

    async def start(self, name: str) -> None:
        """Start one and wait until its tables are loaded."""
        self._running[name] = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.streams.engine.recovery.standby_worker",
            self._settings.bootstrap, self._settings.topic_prefix, self._kind, str(self._folder / name),
            stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        await self._line(name, "ready")

    async def kill(self, name: str) -> None:
        process = self._running.pop(name)
        process.send_signal(signal.SIGKILL)
        await process.wait()

    async def following(self, name: str) -> None:
        """Wait until it has half of the partitions and copies of the others, read to the end."""
        await self._line(name, "following 2")

    async def restored(self, name: str) -> int:
        """Wait until it has all partitions, and return how many changelog records that took."""
        return int((await self._line(name, "owns 4 after reading")).split()[-1])

    async def _line(self, name: str, start: str) -> str:
        out = self._running[name].stdout
        assert out is not None
        async with asyncio.timeout(DEADLINE_S):
            while not (line := (await out.readline()).decode()).startswith(start):
                assert line, f"{name} ended before it printed {start!r}"
        return line


async def main(bootstrap: str, prefix: str, kind: str, folder: str) -> None:
    """Count until killed, and print each change of what the test waits for."""
    disk, standby_stores = stores(kind, Path(folder))
    read = 0

    def count_read(progress: RestoreProgress | RestoreDone) -> None:
        nonlocal read
        read += progress.records if isinstance(progress, RestoreDone) else 0

    settings = KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix)
    async with running(
        (AGENT,),
        kafka=settings,
        limits=LIMITS,
        store_of=disk or open_memory_store,
        standby_stores=standby_stores,
        on_progress=count_read,
    ) as work:
        failed = asyncio.create_task(work.failed())
        before = ""
        while not failed.done():
            if not work.engine.ready.is_set():
                state = "assigning"
            elif len(work.engine.all_processors()) == PARTITIONS:
                state = f"owns {PARTITIONS} after reading {read}"
            else:
                state = "following 2" if followed(work, 2) else "following"
                read = 0
            if before in ("", "assigning") and state != "assigning":
                print("ready", flush=True)  # noqa: T201
            if state != before:
                print(state, flush=True)  # noqa: T201
            before = state
            await asyncio.sleep(0.05)
        raise failed.result()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
