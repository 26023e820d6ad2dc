"""Starts services together, waits until each is ready, and explains a failure."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from connectors.local import os_process
from connectors.local.disk_errors import explain_disk_errors
from connectors.local.os_process import Process
from connectors.local.servers.service import Service, log_of
from schemas.errors import Unavailable

_READY_S = 120  # seconds on an idle machine; three brokers on a loaded one take longer
_POLL_S = 0.1
_TAIL_LINES = 6

_KNOWN_CAUSES = {
    "No space left on device": "The disk is full: free some space and try again.",
    "Address already in use": "Another program took its port meanwhile: try again, or name another --port.",
    "Cannot allocate memory": "The machine is out of memory: a broker needs about 500 MB.",
    "UnsupportedClassVersionError": "The Java found is too old: put a newer one in PATH, or unset JAVA_HOME.",
    "Found invalid messages": "Its data is damaged: `stack up --fresh` starts from nothing.",
}
"""A text in a service's log, and what to do about it."""


def start(home: Path, services: Sequence[Service], on_started: Callable[[str, Process], None]) -> None:
    """Prepare and spawn all services, call `on_started` for each at once, and return when all are ready.

    Raises `Unavailable` with the last lines of its log when one dies or does not answer; the caller has to stop the others.
    """
    with explain_disk_errors(home), ThreadPoolExecutor(max(len(services), 1)) as pool:
        list(pool.map(lambda service: service.prepare(), services))
    waiting = []
    for service in services:
        spawned = os_process.spawn(service.command(), log=log_of(home, service.name))
        on_started(service.name, spawned)
        waiting.append((service, spawned))
    deadline = time.monotonic() + _READY_S
    while waiting:
        waiting = [(service, spawned) for service, spawned in waiting if not _ready(home, service, spawned)]
        if waiting and time.monotonic() > deadline:
            raise Unavailable(_explanation(home, waiting[0][0].name, f"does not answer after {_READY_S} s"))
        if waiting:
            time.sleep(_POLL_S)


def _ready(home: Path, service: Service, spawned: Process) -> bool:
    if not os_process.is_alive(spawned):
        raise Unavailable(_explanation(home, service.name, "ended while starting"))
    return service.ready()


def _explanation(home: Path, name: str, failure: str) -> str:
    log = log_of(home, name)
    text = log.read_text(errors="replace") if log.exists() else ""
    causes = [advice for message, advice in _KNOWN_CAUSES.items() if message in text]
    tail = "\n".join(f"  {line[:300]}" for line in text.splitlines()[-_TAIL_LINES:])
    return "\n".join(filter(None, [f"{name} {failure}. {' '.join(causes)}".strip(), tail, f"All of it is in {log}."]))
