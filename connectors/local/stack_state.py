"""The state of a stack between commands: its ports, its cluster id and its processes."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from connectors.local.addresses import Addresses
from connectors.local.disk_errors import explain_disk_errors
from connectors.local.os_process import Process
from connectors.local.ports import HOST
from connectors.local.progress import ProgressReporter
from connectors.local.servers.formatted import random_id
from connectors.local.servers.registry_server import API

_FILE = "stack.json"
_LOCK = "lock"


class StackState(msgspec.Struct, frozen=True, kw_only=True):
    """One stack. `ports` and `processes` are by service; a process in the state may have died since."""

    cluster_id: str
    brokers: int
    registry: bool
    settings: dict[str, str] = {}  # of the brokers; they override those common to all stacks
    ports: dict[str, int] = {}
    processes: dict[str, Process] = {}

    def names(self) -> tuple[str, ...]:
        """Return the services in start order."""
        return ("redis", *self.broker_names(), *(("registry",) if self.registry else ()))

    def broker_names(self) -> tuple[str, ...]:
        return tuple(f"kafka-{node}" for node in range(1, self.brokers + 1))

    def port_names(self) -> tuple[str, ...]:
        return (*self.names(), *(f"controller-{node}" for node in range(1, self.brokers + 1)))

    def addresses(self) -> Addresses:
        kafka = ",".join(f"{HOST}:{self.ports[name]}" for name in self.broker_names())
        registry = f"http://{HOST}:{self.ports['registry']}{API}" if self.registry else None
        return Addresses(kafka, f"redis://{HOST}:{self.ports['redis']}/0", registry)


def new(brokers: int, *, registry: bool, settings: Mapping[str, str] | None = None) -> StackState:
    """Return the state of a stack that was never started."""
    return StackState(cluster_id=random_id(), brokers=brokers, registry=registry, settings=dict(settings or {}))


def read(home: Path) -> StackState | None:
    """Return the saved state; None for a stack that does not exist, or whose file a crash left unreadable."""
    try:
        return msgspec.json.decode((home / _FILE).read_bytes(), type=StackState)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write(home: Path, state: StackState) -> None:
    """Save the state, atomically."""
    draft = home / f"{_FILE}.{os.getpid()}"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
    draft.replace(home / _FILE)


@contextmanager
def exclusive_access(home: Path, progress: ProgressReporter) -> Iterator[None]:
    """Let one command at a time change the stack; the kernel releases the lock of a killed command."""
    with explain_disk_errors(home):
        lock = _lock(home, progress)
    with lock:
        yield


def _lock(home: Path, progress: ProgressReporter) -> IO[str]:
    while True:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (home / _LOCK).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.step("Waiting for another command on this stack ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_at(lock, home / _LOCK):
            return lock
        lock.close()  # the command that held the lock deleted the whole stack


def _is_at(file: IO[str], path: Path) -> bool:
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())


def delete_data(home: Path) -> None:
    """Delete everything but the lock, for which another command may be waiting."""
    for entry in home.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != _LOCK:
            entry.unlink()
