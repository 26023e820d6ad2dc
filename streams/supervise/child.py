"""One supervised process: started again with growing pauses when it dies, its lines shown under its name."""

import asyncio
import ctypes
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from streams.supervise.self_process import NEEDS_OPERATOR

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_SETTLED_S = 60.0  # one that ran this long starts again without delay: its death has another cause than the last
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LINE_LIMIT = 1 << 20  # longer than any log line; a child that writes more at once is read in parts

Notify = Callable[[str, str], None]
"""Show a line of the named child."""


def pause_s(failures: int) -> float:
    """Return how long to wait before the next start after so many failures in a row."""
    return float(min(_FIRST_PAUSE_S * 2 ** (failures - 1), _LONGEST_PAUSE_S)) if failures else 0.0


class Child:
    """A command line kept running until `stop`. `run` returns its last exit code when it is stopped or a person has to act."""

    def __init__(self, name: str, argv: Sequence[str], say: Notify) -> None:
        self.name = name
        self._argv = argv
        self._notify = say
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self.last_line = ""

    async def run(self) -> int:
        """Keep it running. An end nobody asked for is a failure, whatever its code; 3 says that starting again cannot help."""
        failures = 0
        while True:
            began = asyncio.get_running_loop().time()
            code = await self.once()
            if self._stopping.is_set() or code == NEEDS_OPERATOR:
                return code
            settled = asyncio.get_running_loop().time() - began > _SETTLED_S
            failures = 1 if settled else failures + 1
            pause = pause_s(failures)
            self._notify(self.name, f"ended ({_ending(code)}); starts again in {pause:g} s")
            if await self.stopped_within(pause):
                return code

    async def once(self) -> int:
        """Run it to its end and return its exit code: below zero the number of the signal that ended it."""
        self._process = process = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop the children in order
            preexec_fn=_die_with_parent, limit=_LINE_LIMIT,
        )  # fmt: skip
        if self._stopping.is_set():
            self.signal(signal.SIGTERM)
        assert process.stdout is not None
        async for line in process.stdout:
            self.last_line = line.decode("utf-8", "replace").rstrip()
            self._notify(self.name, self.last_line)
        return await process.wait()

    async def stop(self, grace_s: float) -> None:
        """Ask it to end, and after `grace_s` force it."""
        self._stopping.set()
        self.signal(signal.SIGTERM)
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), grace_s)
            except TimeoutError:
                self._notify(self.name, f"does not end within {grace_s:g} s and is killed")
                self.signal(signal.SIGKILL)
                await self._process.wait()

    async def stopped_within(self, seconds: float | None) -> bool:
        """Say whether it was told to stop before so many seconds have passed; None waits for ever."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    def signal(self, number: signal.Signals) -> None:
        """Signal it, if it runs."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"


def _die_with_parent() -> None:
    """Have the kernel end the child when we are killed outright: an orphan would hold the port and the spool. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
