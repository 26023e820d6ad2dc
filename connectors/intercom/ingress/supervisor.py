"""Several ingress processes on one port: started together, restarted when they die, stopped together."""

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Final

import structlog
import uvloop

from connectors.http.sockets import bind
from connectors.intercom.ingress.app import run
from connectors.intercom.ingress.config import IngressConfig
from schemas.errors import IntercomStreamsError

_RESTART_DELAY_S: Final = 1.0  # between the death of a process and its restart: a crash at start must not become a busy loop
_POLL_S: Final = 0.1  # between looks for ended processes while others are awaited
_GRACE_S: Final = 20.0  # a process that does not stop within half of it hangs

_log = structlog.get_logger(__name__)


def supervise(config: IngressConfig, reserved: socket.socket, on_listening: Callable[[], None]) -> None:
    """Keep `config.processes` processes running until SIGTERM or SIGINT; return when all have stopped by themselves.

    `reserved` is a socket bound to their address; `on_listening` is called once all of them listen.
    """
    pool = ProcessPool(config, reserved)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pool.request_stop)
    pool.start_all()
    pool.wait_until_listening()
    on_listening()
    pool.watch()


class ProcessPool:
    """The worker processes. They stop when this one ends, in whatever way: it alone holds the writing end of a pipe they read."""

    def __init__(self, config: IngressConfig, reserved: socket.socket) -> None:
        self._config = config
        self._address = reserved.getsockname()[:2]
        self._running: dict[int, int] = {}  # pid → number
        self._stopping = False
        self._parent_pipe, self._parent_end = os.pipe()
        self._ready_reader, self._ready_writer = os.pipe()

    def request_stop(self, *_: object) -> None:
        """Handle a stop signal: stop restarting, and send SIGTERM to all."""
        self._stopping = True
        for pid in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        signal.alarm(int(_GRACE_S))  # its default action ends this process; the pipe then ends those that hang

    def start_all(self) -> None:
        """Start one process of every number."""
        for number in range(self._config.processes):
            self._start(number)

    def wait_until_listening(self) -> None:
        """Wait for every process to report that it listens; one that dies before is started again."""
        listening = 0
        while listening < self._config.processes and self._running:
            if select.select([self._ready_reader], [], [], _POLL_S)[0]:
                listening += len(os.read(self._ready_reader, 1))
            else:
                self._restart_ended(os.WNOHANG)

    def watch(self) -> None:
        """Restart processes that die, until a stop is requested; return when all have ended."""
        while self._running:
            self._restart_ended(0)

    def _restart_ended(self, options: int) -> None:
        pid, status = os.waitpid(-1, options)
        number = self._running.pop(pid, None)
        if number is None:
            return
        if not self._stopping:
            _log.error("process ended", process=number, status=os.waitstatus_to_exitcode(status), hint="it is started again")
            time.sleep(_RESTART_DELAY_S)
        if not self._stopping:
            self._start(number)

    def _start(self, number: int) -> None:
        pid = os.fork()
        if pid:
            self._running[pid] = number
            return
        code = 1
        try:
            code = self._run_worker(number)
        finally:
            sys.stderr.flush()
            os._exit(code)  # the clean-up of the calling code is the parent's: this process is a copy of it

    def _run_worker(self, number: int) -> int:
        """Run in a child process: serve until it stops; return its exit code."""
        os.close(self._parent_end)
        for stop_signal in (signal.SIGTERM, signal.SIGINT):
            signal.signal(stop_signal, signal.SIG_DFL)
        try:
            sock = bind(*self._address, shared=True)
            uvloop.run(run(self._config, sock, index=number, ready=self._report_listening, parent_pipe=self._parent_pipe))
        except IntercomStreamsError as error:
            _log.error("process cannot run", process=number, reason=str(error))  # a traceback would add nothing
            return 1
        return 0

    def _report_listening(self) -> None:
        os.write(self._ready_writer, b".")
