"""Ownership of spool files: one per process, locked while it lives, so that others find and adopt the files of dead processes."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from schemas.errors import BadConfiguration

_SUFFIX: Final = ".spool"
_SQLITE_SUFFIXES: Final = ("", "-wal", "-shm")  # the file itself, SQLite's log, and the log's index


class SpoolClaim:
    """A spool file that belongs to this process until `release`, or until the process ends in whatever way.

    The lock is on a separate file: closing any descriptor of the spool itself would drop SQLite's own locks on it.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock, so that others can adopt the file."""
        os.close(self._descriptor)

    def delete(self) -> None:
        """Delete the file, which is empty, and release the lock."""
        for suffix in _SQLITE_SUFFIXES:
            _with_suffix(self.path, suffix).unlink(missing_ok=True)
        self._lock_file().unlink(missing_ok=True)
        self.release()

    def move_aside(self) -> Path:
        """Rename a damaged file so that no process adopts it again and no data is lost; return its new name."""
        target = self.path.with_suffix(f".damaged-{time.time_ns()}")
        for suffix in reversed(_SQLITE_SUFFIXES):
            with contextlib.suppress(FileNotFoundError):
                _with_suffix(self.path, suffix).rename(_with_suffix(target, suffix))
        return target

    def _lock_file(self) -> Path:
        return _lock_of(self.path)


def claim_own(folder: Path, index: int) -> SpoolClaim:
    """Claim a file for this process: that of its number if it is free, else another. Raises `BadConfiguration`."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        numbers = range(index, index + 10_000, 100)  # in steps beyond the numbers of the other processes
        claims = (_claim(folder / f"ingress-{number}{_SUFFIX}") for number in numbers)
        return next(claim for claim in claims if claim is not None)
    except OSError as error:
        raise BadConfiguration(
            f"The spool folder {folder} cannot be used: {error.strerror}. Make it writable, or name another as ingress.spool."
        ) from error


def claim_orphans(folder: Path) -> Iterator[SpoolClaim]:
    """Claim every file whose process has ended."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        claim = _claim(path)
        if claim is None:
            continue
        if path.exists():
            yield claim
        else:  # another process emptied and deleted it meanwhile
            claim.delete()


def damaged_files(folder: Path) -> list[Path]:
    """Return the files that were moved aside and that an operator has not dealt with yet."""
    return sorted(path for path in folder.glob("*.damaged-*") if not path.name.endswith(("-wal", "-shm")))


def _claim(path: Path) -> SpoolClaim | None:
    descriptor = os.open(_lock_of(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if not _is_same_file(descriptor, _lock_of(path)):  # its owner deleted it between our open and our lock
        os.close(descriptor)
        return _claim(path)
    return SpoolClaim(path, descriptor)


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        at_path = path.stat()
    except FileNotFoundError:
        return False
    opened = os.fstat(descriptor)
    return (opened.st_dev, opened.st_ino) == (at_path.st_dev, at_path.st_ino)


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _with_suffix(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
