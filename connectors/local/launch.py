"""Start services together, wait until each serves, and say why when one does not."""

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
"""What a log says, and what to do about it."""


def start(home: Path, services: Sequence[Service], on_started: Callable[[str, Process], None]) -> None:
    """Prepare and spawn all, telling `started` of each at once, and return when all serve.

    Raises `Unavailable` with the last lines of its log when one dies or stays silent; ending the others is the caller's.
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


def _explanation(home: Path, name: str, what: str) -> str:
    log = log_of(home, name)
    text = log.read_text(errors="replace") if log.exists() else ""
    causes = [advice for said, advice in _KNOWN_CAUSES.items() if said in text]
    tail = "\n".join(f"  {line[:300]}" for line in text.splitlines()[-_TAIL_LINES:])
    return "\n".join(filter(None, [f"{name} {what}. {' '.join(causes)}".strip(), tail, f"All of it is in {log}."]))
