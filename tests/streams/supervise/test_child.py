"""A supervised process: restarted when it dies, not restarted when an operator has to act, stopped in order."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from streams.supervise.child import Child, pause_s
from tests.patience import DEADLINE_S

pytestmark = pytest.mark.asyncio


class ReceivedLines(list):
    """The lines of a child, and an event for the first."""

    def __init__(self):
        super().__init__()
        self.received = asyncio.Event()

    def notify(self, name, line):
        self.append(line)
        self.received.set()


def child(code, lines):
    return Child("it", [sys.executable, "-c", code], lines.notify)


async def test_the_pause_doubles_up_to_half_a_minute():
    assert [pause_s(failures) for failures in (0, 1, 2, 3, 7, 50)] == [0.0, 0.5, 1.0, 2.0, 30.0, 30.0]


async def test_one_that_dies_is_started_again_and_one_that_needs_a_person_is_not(tmp_path):
    lines = ReceivedLines()
    mark = tmp_path / "mark"
    code = (
        f"import sys,pathlib; m=pathlib.Path({str(mark)!r}); seen=m.exists(); m.touch(); print('why'); sys.exit(3 if seen else 1)"
    )
    assert await asyncio.wait_for(child(code, lines).run(), DEADLINE_S) == 3
    assert lines == ["why", "ended (exit code 1); starts again in 0.5 s", "why"]


async def test_a_killed_one_is_told_by_its_signal(tmp_path):
    lines = ReceivedLines()
    it = child("import os,signal; os.kill(os.getpid(), signal.SIGKILL)", lines)
    running = asyncio.create_task(it.run())
    async with asyncio.timeout(DEADLINE_S):
        await lines.received.wait()
        await it.stop(5)
        await running
    assert lines[0].startswith("ended (killed by SIGKILL)")


async def test_stopping_asks_first_and_forces_then():
    lines = ReceivedLines()
    it = child(
        "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)", lines
    )
    running = asyncio.create_task(it.run())
    async with asyncio.timeout(DEADLINE_S):
        await lines.received.wait()
        await it.stop(0.2)
        assert await running == -signal.SIGKILL
    assert lines == ["up", "does not end within 0.2 s and is killed"]


async def test_one_told_to_stop_before_it_started_ends_at_once():
    it = child("import time; time.sleep(60)", ReceivedLines())
    running = asyncio.create_task(it.run())
    await it.stop(1)
    assert await asyncio.wait_for(running, DEADLINE_S) == -signal.SIGTERM


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
async def test_children_end_with_a_parent_that_is_killed_outright():
    inner = "import sys,time; print('ready', flush=True); time.sleep(60)"
    outer = (
        "import asyncio,os,sys; from streams.supervise.child import Child\n"
        f"it = Child('it', [sys.executable, '-c', {inner!r}], lambda n, l: print(it._process.pid, flush=True))\n"
        "asyncio.run(it.run())"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", outer, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(DEADLINE_S):
        orphan = int(await parent.stdout.readline())
        parent.kill()
        await parent.wait()
        while _is_running(orphan):  # noqa: ASYNC110  # a process that is not ours to wait for
            await asyncio.sleep(0.02)


def _is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
