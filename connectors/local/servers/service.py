"""The port of every service in the stack: what to run, and how to know that it is ready."""

from pathlib import Path
from typing import Protocol


class Service(Protocol):
    """One server process. `prepare` may take a second; `ready` returns at once and never raises."""

    @property
    def name(self) -> str: ...

    def prepare(self) -> None:
        """Create data folders and configuration; existing data stays."""

    def command(self) -> list[str]:
        """Return the command line, with an absolute program path."""

    def ready(self) -> bool:
        """Return whether the server answers a request in its own protocol."""


def log_of(home: Path, name: str) -> Path:
    """Return the file of a service's output; each start truncates it."""
    return home / f"{name}.log"
