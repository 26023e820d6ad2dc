"""A named stack on this machine: started once, found again by every later command, stopped or broken on purpose by tests."""

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

import msgspec

from connectors.local import launch, os_process, ports, stack_state
from connectors.local.addresses import Addresses
from connectors.local.allocation import with_ports
from connectors.local.os_process import Process
from connectors.local.paths import stacks_home
from connectors.local.progress import NoProgress, ProgressReporter
from connectors.local.servers.service import log_of
from connectors.local.services import services
from connectors.local.stack_state import StackState
from schemas.errors import InvalidRecord, Unavailable

_GRACE_S = 20  # three brokers hand over their partitions one after the other
_FREE_BYTES = 300 * 1024 * 1024  # below this Kafka soon stops with a full disk, in words nobody understands


class ServiceStatus(msgspec.Struct, frozen=True):
    """How one service is: `state` is "running", "paused", "silent" (alive, not listening) or "stopped"."""

    name: str
    state: str
    port: int
    pid: int | None
    log: str


class LocalStack:
    """The stack of one folder. Broker numbers count from 1; ports and data stay the same over stops and kills."""

    def __init__(self, home: Path, progress: ProgressReporter | None = None) -> None:
        self.home = home
        self._progress = progress or NoProgress()

    @classmethod
    def named(cls, name: str = "default", progress: ProgressReporter | None = None) -> "LocalStack":
        """Return the user's stack of that name, whether it exists or not."""
        if not name or not all(character.isalnum() or character in "-_." for character in name) or name.startswith("."):
            raise InvalidRecord(f"{name!r} cannot name a stack: use letters, digits, '-', '_' and '.'.")
        return cls(stacks_home() / name, progress)

    @property
    def addresses(self) -> Addresses:
        """Say where it answers; raise `Unavailable` for a stack that was never started."""
        return self._state().addresses()

    def up(
        self,
        *,
        brokers: int | None = None,
        registry: bool = False,
        fresh: bool = False,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Addresses:
        """Start what does not run yet and return when all of it serves; what runs is left alone.

        `fresh` throws its data away first. `port` fixes Kafka's (further brokers take the next ones). `settings` go over the brokers'
        own, count when a broker starts, and are remembered. A start that fails stops what it had started.
        """
        with stack_state.exclusive_access(self.home, self._progress):
            if fresh:
                self._end(grace_s=0)
                stack_state.delete_data(self.home)
            wanted = self._target_state(brokers, settings, registry=registry)
            idle = [name for name in wanted.names() if not _is_running(wanted, name)]
            wanted = with_ports(wanted, idle, port)
            stack_state.write(self.home, wanted)
            if idle:
                self._start(wanted, idle)
            return wanted.addresses()

    def down(self, *, remove: bool = False, grace_s: float = _GRACE_S) -> bool:
        """Stop everything, keeping the data unless `remove`; say whether anything ran."""
        if not self.home.is_dir():
            return False
        with stack_state.exclusive_access(self.home, self._progress):
            ran = self._end(grace_s=0 if remove else grace_s)
            if remove:
                shutil.rmtree(self.home)
            return ran

    def status(self) -> list[ServiceStatus]:
        """Say how each service is; an empty list for a stack that does not exist."""
        known = stack_state.read(self.home)
        return [] if known is None else [self._status_of(known, name) for name in known.names()]

    def kill_broker(self, node: int) -> None:
        """End a broker as a power failure would, and return when it is gone."""
        os_process.stop([self._broker(node)], grace_s=0)

    def stop_broker(self, node: int) -> None:
        """Stop a broker in order: its partitions move to others first."""
        os_process.stop([self._broker(node)], grace_s=_GRACE_S)

    def pause_broker(self, node: int) -> None:
        """Freeze a broker: connections stay open, nothing is answered."""
        os_process.send(self._broker(node), signal.SIGSTOP)

    def resume_broker(self, node: int) -> None:
        """Let a frozen broker go on."""
        os_process.send(self._broker(node), signal.SIGCONT)

    def start_broker(self, node: int) -> None:
        """Start a broker again on its port and data, and return when it serves; one that runs is left alone."""
        with stack_state.exclusive_access(self.home, self._progress):
            known = self._state()
            name = f"kafka-{node}"
            if not _is_running(known, name):
                self._start(known, [name])

    def _state(self) -> StackState:
        known = stack_state.read(self.home)
        if known is None:
            raise Unavailable(f"There is no stack in {self.home}. `intercom-streams stack up` starts one.")
        return known

    def _broker(self, node: int) -> Process:
        return self._state().processes[f"kafka-{node}"]

    def _target_state(self, brokers: int | None, settings: Mapping[str, str] | None, *, registry: bool) -> StackState:
        known = stack_state.read(self.home)
        if known is None:
            return stack_state.new(brokers or 1, registry=registry, settings=settings)
        if brokers not in (None, known.brokers):
            raise Unavailable(
                f"This stack has {known.brokers} broker(s), not {brokers}, and its data cannot change that. "
                "Take another --name, or --fresh to throw its data away."
            )
        chosen = known.settings if settings is None else dict(settings)
        return msgspec.structs.replace(known, registry=known.registry or registry, settings=chosen)

    def _start(self, wanted: StackState, names: list[str]) -> None:
        self._progress.step(f"Starting {', '.join(names)} ...")
        self.home.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.home).free < _FREE_BYTES:
            raise Unavailable(f"The disk that holds {self.home} has less than 300 MB left. Free some space and try again.")
        processes = dict(wanted.processes)
        started = {}

        def remember(name: str, spawned: Process) -> None:
            started[name] = processes[name] = spawned
            stack_state.write(self.home, msgspec.structs.replace(wanted, processes=processes))

        try:
            launch.start(self.home, services(self.home, wanted, names, self._progress), remember)
        except BaseException:  # Ctrl-C as well: no half-started stack stays behind
            os_process.stop(started.values(), grace_s=0)
            raise

    def _end(self, *, grace_s: float) -> bool:
        known = stack_state.read(self.home)
        if known is None:
            return False
        running = [known.processes[name] for name in known.names() if _is_running(known, name)]
        os_process.stop(running, grace_s=grace_s)
        return bool(running)

    def _status_of(self, known: StackState, name: str) -> ServiceStatus:
        port = known.ports.get(name, 0)
        running = _is_running(known, name)
        pid = known.processes[name].pid if running else None
        return ServiceStatus(
            name, _state_of(known.processes[name], port) if running else "stopped", port, pid, str(log_of(self.home, name))
        )


def _state_of(running: Process, port: int) -> str:
    if os_process.is_paused(running):
        return "paused"
    return "running" if ports.is_listening(port) else "silent"


def _is_running(known: StackState, name: str) -> bool:
    return name in known.processes and os_process.is_alive(known.processes[name])
