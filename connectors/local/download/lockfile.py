"""Read `artifacts.lock`: every file the stack consists of, with its size and SHA-256 and no address.

The lock is the whole resolution, so nothing is resolved at run time. `update_lockfile.py` writes it.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

LOCK = Path(__file__).with_name("artifacts.lock")


class Artifact(msgspec.Struct, frozen=True):
    """One locked file: which part of the stack wants it, its Maven coordinate, and what its bytes must be."""

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
    """Read what one part of the stack ("kafka", "registry") consists of."""
    return tuple(artifact for artifact in _lines(lock) if artifact.part == part)


def _lines(lock: Path) -> Iterator[Artifact]:
    for line in lock.read_text().splitlines():
        if line and not line.startswith("#"):
            part, coordinate, sha256, size = line.split()
            group, name, version, classifier, packaging = coordinate.split(":")
            yield Artifact(part, group, name, version, classifier, packaging, sha256, int(size))
