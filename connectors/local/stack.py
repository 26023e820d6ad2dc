"""A named stack on this machine: started once, found again by later commands; tests also kill, pause and stop its brokers."""

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
_FREE_BYTES = 300 * 1024 * 1024  # with less Kafka soon stops because of a full disk, with an obscure error


class ServiceStatus(msgspec.Struct, frozen=True):
    """The status of a service: `state` is "running", "paused", "silent" (alive, not listening) or "stopped"."""

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
        """The addresses of the services; raises `Unavailable` for a stack that was never started."""
        return self._existing_state().addresses()

    def up(
        self,
        *,
        brokers: int | None = None,
        registry: bool = False,
        fresh: bool = False,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Addresses:
        """Start the services that do not run yet and return when all are ready; running ones stay untouched.

        `fresh` deletes its data first. `port` is the first broker's (further brokers take the next ones). `settings` override the
        brokers' defaults from their next start on, and are saved. A start that fails stops the services that it started.
        """
        with stack_state.exclusive_access(self.home, self._progress):
            if fresh:
                self._end(grace_s=0)
                stack_state.delete_data(self.home)
            target = self._target_state(brokers, settings, registry=registry)
            idle = [name for name in target.names() if not _is_running(target, name)]
            target = with_ports(target, idle, port)
            stack_state.write(self.home, target)
            if idle:
                self._start(target, idle)
            return target.addresses()

    def down(self, *, remove: bool = False, grace_s: float = _GRACE_S) -> bool:
        """Stop all services, keep the data unless `remove`; return whether any service ran."""
        if not self.home.is_dir():
            return False
        with stack_state.exclusive_access(self.home, self._progress):
            was_running = self._end(grace_s=0 if remove else grace_s)
            if remove:
                shutil.rmtree(self.home)
            return was_running

    def status(self) -> list[ServiceStatus]:
        """Return the status of each service; an empty list for a stack that does not exist."""
        state = stack_state.read(self.home)
        return [] if state is None else [self._status_of(state, name) for name in state.names()]

    def kill_broker(self, node: int) -> None:
        """End a broker as a power failure would, and return when it has ended."""
        os_process.stop([self._broker(node)], grace_s=0)

    def stop_broker(self, node: int) -> None:
        """Shut a broker down cleanly: its partitions move to others first."""
        os_process.stop([self._broker(node)], grace_s=_GRACE_S)

    def pause_broker(self, node: int) -> None:
        """Pause a broker: connections stay open, requests are not answered."""
        os_process.send(self._broker(node), signal.SIGSTOP)

    def resume_broker(self, node: int) -> None:
        """Let a paused broker continue."""
        os_process.send(self._broker(node), signal.SIGCONT)

    def start_broker(self, node: int) -> None:
        """Start a broker again on its port and data, and return when it is ready; a running one stays untouched."""
        with stack_state.exclusive_access(self.home, self._progress):
            state = self._existing_state()
            name = f"kafka-{node}"
            if not _is_running(state, name):
                self._start(state, [name])

    def _existing_state(self) -> StackState:
        state = stack_state.read(self.home)
        if state is None:
            raise Unavailable(f"There is no stack in {self.home}. `intercom-streams stack up` starts one.")
        return state

    def _broker(self, node: int) -> Process:
        return self._existing_state().processes[f"kafka-{node}"]

    def _target_state(self, brokers: int | None, settings: Mapping[str, str] | None, *, registry: bool) -> StackState:
        state = stack_state.read(self.home)
        if state is None:
            return stack_state.new(brokers or 1, registry=registry, settings=settings)
        if brokers not in (None, state.brokers):
            raise Unavailable(
                f"This stack has {state.brokers} broker(s), not {brokers}, and its data cannot change that. "
                "Take another --name, or --fresh to throw its data away."
            )
        chosen = state.settings if settings is None else dict(settings)
        return msgspec.structs.replace(state, registry=state.registry or registry, settings=chosen)

    def _start(self, target: StackState, names: list[str]) -> None:
        self._progress.step(f"Starting {', '.join(names)} ...")
        self.home.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.home).free < _FREE_BYTES:
            raise Unavailable(f"The disk that holds {self.home} has less than 300 MB left. Free some space and try again.")
        processes = dict(target.processes)
        started = {}

        def on_started(name: str, spawned: Process) -> None:
            started[name] = processes[name] = spawned
            stack_state.write(self.home, msgspec.structs.replace(target, processes=processes))

        try:
            launch.start(self.home, services(self.home, target, names, self._progress), on_started)
        except BaseException:  # Ctrl-C too: no half-started stack may remain
            os_process.stop(started.values(), grace_s=0)
            raise

    def _end(self, *, grace_s: float) -> bool:
        state = stack_state.read(self.home)
        if state is None:
            return False
        running = [state.processes[name] for name in state.names() if _is_running(state, name)]
        os_process.stop(running, grace_s=grace_s)
        return bool(running)

    def _status_of(self, state: StackState, name: str) -> ServiceStatus:
        port = state.ports.get(name, 0)
        running = _is_running(state, name)
        pid = state.processes[name].pid if running else None
        return ServiceStatus(
            name, _state_of(state.processes[name], port) if running else "stopped", port, pid, str(log_of(self.home, name))
        )


def _state_of(running: Process, port: int) -> str:
    if os_process.is_paused(running):
        return "paused"
    return "running" if ports.is_listening(port) else "silent"


def _is_running(state: StackState, name: str) -> bool:
    return name in state.processes and os_process.is_alive(state.processes[name])
