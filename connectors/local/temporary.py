"""A stack for the time of a block, for the demo and the tests."""

import os
import secrets
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from connectors.local.addresses import Addresses, configured_addresses
from connectors.local.progress import ProgressReporter
from connectors.local.reaper import Reaper
from connectors.local.stack import LocalStack


@contextmanager
def temporary_stack(
    *,
    name: str | None = None,
    brokers: int = 1,
    registry: bool = False,
    fresh: bool = True,
    progress: ProgressReporter | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[LocalStack]:
    """Start a stack and stop it when the block ends, in whatever way: error, Ctrl-C, SIGTERM or kill -9.

    Without a name it is a new stack, and its data is deleted; a named one keeps its data for the next start.
    """
    stack = LocalStack.named(name or f"borrowed-{os.getpid()}-{secrets.token_hex(4)}", progress)
    with _terminated_as_exit():
        reaper = Reaper(stack, remove=name is None)
        try:
            stack.up(brokers=brokers, registry=registry, fresh=fresh, settings=settings)
            yield stack
        finally:
            stack.down(remove=name is None)
            reaper.dismiss()


@contextmanager
def existing_or_temporary(*, registry: bool = False, progress: ProgressReporter | None = None) -> Iterator[Addresses]:
    """Yield the addresses of the cluster in the environment, else those of a temporary local one."""
    configured = configured_addresses()
    if configured is not None:
        yield configured
        return
    with temporary_stack(registry=registry, progress=progress) as stack:
        yield stack.addresses


@contextmanager
def _terminated_as_exit() -> Iterator[None]:
    """Let SIGTERM unwind the program so that clean-up runs; a program's own handler stays in place."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
