"""Which spool file is whose: one per process, locked while it lives, so that the files of dead processes are found and adopted."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from schemas.errors import BadConfiguration

_SUFFIX: Final = ".spool"
_BESIDE: Final = ("", "-wal", "-shm")  # SQLite's log and index belong to the file


class SpoolClaim:
    """A spool file that is ours until `release`, or until this process ends in whatever way.

    The lock is on a file beside it: closing any descriptor of the spool itself would drop SQLite's own locks on it.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go of the file, for others to adopt."""
        os.close(self._descriptor)

    def delete(self) -> None:
        """Remove the file, which is empty, and let go."""
        for ending in _BESIDE:
            _beside(self.path, ending).unlink(missing_ok=True)
        self._lock_file().unlink(missing_ok=True)
        self.release()

    def move_aside(self) -> Path:
        """Rename a damaged file so that nobody adopts it again and nobody loses it; return its new name."""
        target = self.path.with_suffix(f".damaged-{time.time_ns()}")
        for ending in reversed(_BESIDE):
            with contextlib.suppress(FileNotFoundError):
                _beside(self.path, ending).rename(_beside(target, ending))
        return target

    def _lock_file(self) -> Path:
        return _lock_of(self.path)


def claim_own(folder: Path, index: int) -> SpoolClaim:
    """Claim a file for this process: that of its number if nobody has it, else another. Raises `BadConfiguration`."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        numbers = range(index, index + 10_000, 100)  # the next ones are beyond the numbers of the other processes
        claims = (_claim(folder / f"ingress-{number}{_SUFFIX}") for number in numbers)
        return next(claim for claim in claims if claim is not None)
    except OSError as error:
        raise BadConfiguration(
            f"The spool folder {folder} cannot be used: {error.strerror}. Make it writable, or name another as ingress.spool."
        ) from error


def claim_orphans(folder: Path) -> Iterator[SpoolClaim]:
    """Claim every file whose process is gone."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        claim = _claim(path)
        if claim is None:
            continue
        if path.exists():
            yield claim
        else:  # somebody emptied and removed it while we looked
            claim.delete()


def damaged(folder: Path) -> list[Path]:
    """Name the files that were moved aside and still wait for a person."""
    return sorted(path for path in folder.glob("*.damaged-*") if not path.name.endswith(("-wal", "-shm")))


def _claim(path: Path) -> SpoolClaim | None:
    descriptor = os.open(_lock_of(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if not _same(descriptor, _lock_of(path)):  # its owner removed it between our open and our lock
        os.close(descriptor)
        return _claim(path)
    return SpoolClaim(path, descriptor)


def _same(descriptor: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
