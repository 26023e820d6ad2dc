"""A process that outlives the owner of a temporary stack, so that a kill -9 of the owner leaves no broker running.

It reads a pipe whose writing end only the owner holds: the pipe closes when the owner ends, in whatever way.
"""

import os
import sys
from pathlib import Path

from connectors.local import os_process
from connectors.local.os_process import Process
from connectors.local.servers.service import log_of
from connectors.local.stack import LocalStack

_RUN = "import sys; from connectors.local.reaper import watch; watch(sys.argv[1:])"


class Reaper:
    """Stops a stack when this process ends, unless dismissed before."""

    def __init__(self, stack: LocalStack, *, remove: bool) -> None:
        stack.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        read_end, self._write_end = os.pipe()
        command = [sys.executable, "-c", _RUN, str(stack.home), *(["--remove"] if remove else [])]
        root = str(Path(__file__).parents[2])
        self._process: Process = os_process.spawn(
            command, log=log_of(stack.home, "reaper"), stdin=read_end, extra={"PYTHONPATH": root}
        )
        os.close(read_end)

    def dismiss(self) -> None:
        """End the reaper without touching the stack."""
        os_process.stop([self._process], grace_s=0)
        os.close(self._write_end)


def watch(arguments: list[str]) -> None:
    """Run in the reaper's process: wait for the owner to end, then stop the stack."""
    sys.stdin.buffer.read()
    LocalStack(Path(arguments[0])).down(remove="--remove" in arguments, grace_s=5)
