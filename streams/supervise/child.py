"""One supervised process: restarted with exponential back-off when it exits, its output lines shown under its name."""

import asyncio
import ctypes
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from streams.supervise.self_process import NEEDS_OPERATOR

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_SETTLED_S = 60.0  # after a run this long the back-off starts again: the exit has another cause than the previous one
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LINE_LIMIT = 1 << 20  # longer than any log line

Notify = Callable[[str, str], None]
"""Take the name of a child and a line about it."""


def pause_s(failures: int) -> float:
    """Return the pause before the next start after so many consecutive failures."""
    return float(min(_FIRST_PAUSE_S * 2 ** (failures - 1), _LONGEST_PAUSE_S)) if failures else 0.0


class Child:
    """A command that is kept running until `stop`, or until an operator has to act; `run` returns the last exit code."""

    def __init__(self, name: str, argv: Sequence[str], notify: Notify) -> None:
        self.name = name
        self._argv = argv
        self._notify = notify
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self.last_line = ""

    async def run(self) -> int:
        """Keep the process running. An exit without `stop` is a failure, whatever its code; after code 3 a restart cannot help."""
        failures = 0
        while True:
            started_at = asyncio.get_running_loop().time()
            code = await self.run_once()
            if self._stopping.is_set() or code == NEEDS_OPERATOR:
                return code
            settled = asyncio.get_running_loop().time() - started_at > _SETTLED_S
            failures = 1 if settled else failures + 1
            pause = pause_s(failures)
            self._notify(self.name, f"ended ({_ending(code)}); starts again in {pause:g} s")
            if await self.stopped_within(pause):
                return code

    async def run_once(self) -> int:
        """Run the process once and return its exit code, negative for the number of the signal that ended it."""
        self._process = process = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches only the supervisor, which stops the children in order
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
        """Send SIGTERM to the process, and SIGKILL after `grace_s`."""
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
        """Wait at most so many seconds, without limit for None; return whether `stop` was called by then."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process if it runs."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"


def _die_with_parent() -> None:
    """Let the kernel end the child when the supervisor is killed: an orphan would hold the port and the spool. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
