"""Work over many rows, one transaction after the other, by workers that are killed in the middle of the work.

A short run; `scripts/faults --kind continuation` has half a million rows.
"""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.kafka.settings import KafkaSettings
from tests.faults.continuing_worker import BATCH
from tests.faults.fleet import Fleet
from tests.support.continuing_agent import AGENT, CHANGE, PART, Output, fill, item_of
from tests.support.counting_agent import OUT, PARTITIONS, SOURCE, create_topics, producing

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]

SHORT, LONG = 200_000, 500_000
"""Rows."""
KILLS = 3
BACKLOG = BATCH * 5  # a transaction of the work has several parts, so it takes some 25 of them
_DEADLINE = 180.0
_CODE, _ROW = 60 << 20, 1_130  # bytes of memory: the code and one part, and a row with what its restoration takes


class OutputLog:
    """The partition's outputs as a `read_committed` consumer sees them, in order."""

    def __init__(self, workers: Fleet) -> None:
        self.outputs: list[Output] = []
        self._workers = workers
        self._output_added = asyncio.Event()

    async def follow(self, settings: KafkaSettings) -> None:
        """Read until cancelled."""
        consumer = AIOKafkaConsumer(**settings.client(), isolation_level="read_committed", auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign([TopicPartition(settings.topic(OUT), 0)])
            async for record in consumer:
                self.outputs.append(msgspec.json.decode(record.value or b"", type=Output))
                self._output_added.set()
        finally:
            await consumer.stop()

    async def wait_for_parts(self, count: int) -> None:
        """Wait for so many parts."""
        await self._wait_for(lambda: len(self.parts) >= count, f"{count} parts")

    async def wait_for_answer(self, offset: int) -> None:
        """Wait for the answer to the question at that offset."""
        await self._wait_for(lambda: any(each.answer == offset for each in self.outputs), f"the answer to {offset}")

    async def wait_for_sum(self) -> dict[int, int]:
        """Wait for the sum."""
        await self._wait_for(lambda: self.outputs[-1:] != [] and self.outputs[-1].numbers is not None, "the sum")
        return self.outputs[-1].numbers or {}

    @property
    def parts(self) -> list[list[str]]:
        """The items of each part."""
        return [output.part for output in self.outputs if output.part is not None]

    async def _wait_for(self, condition, what: str) -> None:
        deadline = asyncio.get_running_loop().time() + _DEADLINE
        while not condition():
            self._output_added.clear()
            assert self._workers.exit_codes() == [], self._workers.log_tails()
            assert asyncio.get_running_loop().time() < deadline, f"waited for {what}\n{self._workers.log_tails()}"
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._output_added.wait(), 1)


@contextlib.contextmanager
def fleet_of(folder: Path, kafka: str, prefix: str, *, on_disk: bool) -> Iterator[Fleet]:
    state = [str(folder / "state")] if on_disk else []
    fleet = Fleet(["-m", "tests.faults.continuing_worker", kafka, prefix, *state], folder, {"KAFKA_BOOTSTRAP": kafka})
    try:
        yield fleet
    finally:
        fleet.close()


@contextlib.asynccontextmanager
async def follow_outputs(settings: KafkaSettings, workers: Fleet) -> AsyncIterator[OutputLog]:
    log = OutputLog(workers)
    task = asyncio.create_task(log.follow(settings))
    try:
        yield log
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("on_disk", [False, True], ids=["memory", "disk"])
async def test_many_rows_are_done_once_each_while_records_are_answered_and_workers_killed(
    kafka: str, prefix: str, tmp_path: Path, on_disk: bool
) -> None:
    with fleet_of(tmp_path, kafka, prefix, on_disk=on_disk) as workers:
        await rows_are_done_once(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS), workers, SHORT)


async def rows_are_done_once(settings: KafkaSettings, workers: Fleet, rows: int) -> None:
    """Let workers do so many rows, kill them meanwhile, and compare what each part and each answer says."""
    parts = rows // PART
    await create_topics(settings, AGENT)
    await fill(settings, rows)
    async with producing(settings) as producer, follow_outputs(settings, workers) as log:

        async def send(value: bytes, key: str = "k") -> int:
            return (await producer.send_and_wait(settings.topic(SOURCE), key=key.encode(), value=value, partition=0)).offset

        await send(b"raise")
        question_offsets = [await send(b"question") for _ in range(BACKLOG)]
        workers.start()
        await log.wait_for_answer(question_offsets[BACKLOG - 1])  # after a restart parts are done while records are still fetched
        for kill in range(1, KILLS + 1):
            await log.wait_for_parts(parts * (5 + 15 * kill) // 100)
            question_offsets.append(await send(b"question"))
            workers.kill(0)
            workers.start()
        await send(b"change", item_of(rows - 1))
        question_offsets.append(await send(b"question"))
        await send(b"sum")
        numbers = await log.wait_for_sum()
        memory = peak_of(workers)
    outputs = log.outputs
    assert Counter(item for part in log.parts for item in part) == Counter(map(item_of, range(rows)))
    assert numbers == {2: rows - 1, 2 + CHANGE: 1}
    assert [output.answer for output in outputs if output.answer is not None] == question_offsets
    assert (
        sum(output.part is not None for output in outputs[: outputs.index(Output(answer=question_offsets[BACKLOG - 1]))])
        < parts // 2
    )
    part_positions = [position for position, output in enumerate(outputs) if output.part is not None]
    assert all(output.answer is None for output in outputs[part_positions[-1] :]), (
        "what was asked while the work ran was answered before its end"
    )
    assert all(after - before <= BATCH + 1 for before, after in itertools.pairwise(part_positions)), "the work was starved"
    assert memory < _CODE + rows * _ROW


def peak_of(workers: Fleet) -> int:
    """Return the most memory that the running worker ever had."""
    status = Path(f"/proc/{workers.running[0].pid}/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM"))
