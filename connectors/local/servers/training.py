"""A broker that is started once for each release of Kafka, so that the file with its classes can be made of all that a start needs.

It has a folder of its own in the cache, which goes with it. It ends as soon as the pipe to it is closed: when it has started, or when
the process that started it has ended, in whatever way.
"""

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from connectors.local import os_process, ports
from connectors.local.servers.broker import Broker
from connectors.local.servers.class_archive import ClassArchive
from connectors.local.servers.service import log_of

_READY_S: Final = 60  # a broker that takes longer starts without the file
_END_S: Final = 60  # for the file to be written
_POLL_S: Final = 0.1
_ENDS_WITH_ITS_PIPE: Final = """exec 3<&0; "$@" 3<&- & broker=$!; { read -r _ <&3; kill "$broker"; } & wait "$broker" """

Making = Callable[[Path, int, int], Broker]
"""Makes the broker with this folder, port and controller port."""


def make_archive(archive: ClassArchive, broker: Making, starting: Callable[[], None]) -> None:
    """Make the file with the classes unless it is there; others that want it meanwhile wait. `starting` is called before it is made."""
    archive.path.parent.mkdir(parents=True, exist_ok=True)
    if archive.path.exists():
        return
    with archive.path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.path.exists():
            starting()
            _make(archive, broker)


def _make(archive: ClassArchive, broker: Making) -> None:
    home = archive.path.with_suffix(".training")
    shutil.rmtree(home, ignore_errors=True)  # of one that was killed
    port = ports.free(set())
    trained = broker(home, port, ports.free({port}))
    try:
        trained.prepare()
        with archive.made() as options:
            _start_and_end(trained, options)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start_and_end(broker: Broker, options: list[str]) -> None:
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, False)
    try:
        command = ["/bin/sh", "-c", _ENDS_WITH_ITS_PIPE, "sh", *broker.command_with(options)]
        process = os_process.spawn(command, log=log_of(broker.home, broker.name), stdin=read_end)
        os.close(read_end)
        deadline = time.monotonic() + _READY_S
        while os_process.is_alive(process) and not broker.ready() and time.monotonic() < deadline:
            time.sleep(_POLL_S)
    finally:
        os.close(write_end)
    deadline = time.monotonic() + _END_S
    while os_process.is_alive(process) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    if os_process.is_alive(process):
        os.killpg(process.pid, signal.SIGKILL)  # a session of its own: the broker too
