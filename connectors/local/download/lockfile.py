"""Reads `artifacts.lock`: every file of the stack, with its size and SHA-256 and without an address.

The lock holds the complete resolution of dependencies, so none are resolved at run time. `update_lockfile.py` writes it.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

LOCK = Path(__file__).with_name("artifacts.lock")


class Artifact(msgspec.Struct, frozen=True):
    """One locked file: the part of the stack that needs it, its Maven coordinate, and the sum and size of its bytes."""

    part: str
    group: str
    name: str
    version: str
    classifier: str
    packaging: str
    sha256: str
    size: int

    @property
    def filename(self) -> str:
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.name}-{self.version}{suffix}.{self.packaging}"


def locked(part: str, lock: Path = LOCK) -> tuple[Artifact, ...]:
    """Return the files of one part of the stack ("kafka", "registry")."""
    return tuple(artifact for artifact in _lines(lock) if artifact.part == part)


def _lines(lock: Path) -> Iterator[Artifact]:
    for line in lock.read_text().splitlines():
        if line and not line.startswith("#"):
            part, coordinate, sha256, size = line.split()
            group, name, version, classifier, packaging = coordinate.split(":")
            yield Artifact(part, group, name, version, classifier, packaging, sha256, int(size))
