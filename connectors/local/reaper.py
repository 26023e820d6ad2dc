"""Outlives the program that borrowed a stack, so that a kill -9 of it leaves no broker behind.

It reads a pipe whose other end only the owner holds: the end of the pipe is the end of the owner, however it died.
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
    """Watch over a stack until dismissed."""

    def __init__(self, stack: LocalStack, *, remove: bool) -> None:
        stack.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        read, self._write = os.pipe()
        command = [sys.executable, "-c", _RUN, str(stack.home), *(["--remove"] if remove else [])]
        root = str(Path(__file__).parents[2])
        self._process: Process = os_process.spawn(
            command, log=log_of(stack.home, "warden"), stdin=read, extra={"PYTHONPATH": root}
        )
        os.close(read)

    def dismiss(self) -> None:
        """End the watch without touching the stack."""
        os_process.stop([self._process], grace_s=0)
        os.close(self._write)


def watch(arguments: list[str]) -> None:
    """Wait for the owner's end, then stop the stack."""
    sys.stdin.buffer.read()
    LocalStack(Path(arguments[0])).down(remove="--remove" in arguments, grace_s=5)
