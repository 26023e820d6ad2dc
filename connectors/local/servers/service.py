"""The port every part of the stack has: what to run, and how to know that it serves."""

from pathlib import Path
from typing import Protocol


class Service(Protocol):
    """One server process. `prepare` may take a second; `ready` answers at once and never raises."""

    @property
    def name(self) -> str: ...

    def prepare(self) -> None:
        """Lay out data and configuration; what is already there is kept."""

    def command(self) -> list[str]:
        """Say what to execute, with an absolute program path."""

    def ready(self) -> bool:
        """Ask the server itself, in its own protocol."""


def log_of(home: Path, name: str) -> Path:
    """Say where a service's output goes; each start begins it anew."""
    return home / f"{name}.log"
