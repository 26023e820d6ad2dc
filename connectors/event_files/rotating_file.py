"""A file of JSON lines that survives kills: whole lines only, each once, renamed when it is large.

Beside the file stands `FILE.position`: how much of the file is known to hold what was read up to which positions. It is written behind the
lines. Lines that a kill left between the two are found when the file is opened, by their ids, and not written again. Nothing that a
forwarder may have read is ever taken back, but a line without its end.
"""

import errno
import fcntl
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import msgspec

from schemas.errors import BadConfiguration, InvalidRecord, MustStop, StoreFailed

_MODE: Final = 0o640  # events name people: for the forwarder's group, and nobody else
_READ: Final = 1 << 20


class FilePosition(msgspec.Struct, frozen=True, kw_only=True):
    """What `FILE.position` says. `file` is the number that the file has, or will have, once it is renamed."""

    file: int = 1
    bytes: int = 0
    positions: dict[str, int] = {}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line without its end, and the id that it is recognised by."""

    id: str
    text: bytes

    def __repr__(self) -> str:
        return f"Line({self.id!r})"


class RotatingFile:
    """An open file. `positions` is where reading continues, `written` has the ids of lines that are there behind it."""

    def __init__(self, path: Path, *, rotate_bytes: int, keep: int, id_of: Callable[[bytes], str | None]) -> None:
        self._path, self._rotate_bytes, self._keep, self._id_of = path, rotate_bytes, keep, id_of
        self._beside = path.with_name(f"{path.name}.position")
        self._lock = -1
        self._file = -1
        self._at = FilePosition()
        self._number = 1  # what the file is named once it is renamed
        self.written: set[str] = set()

    @property
    def positions(self) -> Mapping[str, int]:
        """Where reading continues, by whatever the caller named it."""
        return self._at.positions

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self._open()
        except OSError as error:
            self.close()
            raise self._failed(error) from error
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; all that was appended is on disk."""
        for descriptor in (self._file, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lock = -1

    def append(self, lines: Sequence[Line], positions: Mapping[str, int]) -> int:
        """Append lines that are not there yet, wait for the disk, and remember the positions. Return how many were new.

        Raises StoreFailed where the disk is full or failing; nothing is then remembered, and the same call may be made again.
        """
        fresh = [line for line in lines if line.id not in self.written]
        try:
            self._follow_renaming()
            if fresh:
                self._write(b"".join(b"%s\n" % line.text for line in fresh))
            remaining = self.written.difference(line.id for line in lines)
            self.written.update(line.id for line in fresh)  # recognised again if the position cannot be written
            self._remember(self._known(positions, all_known=not remaining))
            self.written = remaining
            if not remaining and self._at.bytes >= self._rotate_bytes:
                self._rotate()
        except OSError as error:
            raise self._failed(error) from error
        return len(fresh)

    def _known(self, positions: Mapping[str, int], *, all_known: bool) -> FilePosition:
        """Return the new position. While lines behind the former one are not recognised yet, it stays before them."""
        if all_known:
            return FilePosition(file=self._number, bytes=os.fstat(self._file).st_size, positions=dict(positions))
        return FilePosition(file=self._at.file, bytes=self._at.bytes, positions=dict(positions))

    def _take_lock(self) -> None:
        self._lock = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, _MODE)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MustStop(
                f"another process writes {self._path}; each needs a file of its own, or let one process write it"
            ) from None

    def _open(self) -> None:
        with suppress(FileNotFoundError):
            try:
                self._at = msgspec.json.decode(self._beside.read_bytes(), type=FilePosition)
            except msgspec.DecodeError:
                raise BadConfiguration(
                    f"{self._beside} is not what this product writes there. Delete it: lines that {self._path.name} has are recognised."
                ) from None
        self._file = self._descriptor()
        self._cut_half_line()
        renamed = {number: path for number, path in self._renamed() if number >= self._at.file}
        self._number = max([self._at.file, *(number + 1 for number in renamed)])
        for number, path in sorted({**renamed, self._number: self._path}.items()):
            known = self._at.bytes if number == self._at.file else 0
            self.written.update(_ids(path, known if known <= path.stat().st_size else 0, self._id_of))

    def _descriptor(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _MODE)

    def _cut_half_line(self) -> None:
        """Remove what a kill left of a line: no forwarder takes a line without its end."""
        size = at = os.fstat(self._file).st_size
        while at > 0:
            start = max(0, at - _READ)
            end = os.pread(self._file, at - start, start).rfind(b"\n")
            if end >= 0:
                at = start + end + 1
                break
            at = start
        if at < size:
            os.ftruncate(self._file, at)

    def _follow_renaming(self) -> None:
        """Open a new file where something else has renamed or deleted this one."""
        try:
            same = self._path.stat().st_ino == os.fstat(self._file).st_ino
        except FileNotFoundError:
            same = False
        if not same:
            os.close(self._file)
            self._file = -1
            self._file = self._descriptor()

    def _write(self, data: bytes) -> None:
        size = os.fstat(self._file).st_size
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
            os.fsync(self._file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, size)
            raise

    def _remember(self, position: FilePosition) -> None:
        temporary = self._beside.with_name(f"{self._beside.name}.new")
        with temporary.open("wb") as file:
            file.write(msgspec.json.encode(position))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._beside)
        self._sync_folder()
        self._at = position

    def _rotate(self) -> None:
        """Rename the file, begin a new one, and delete the oldest beyond `keep`. The position of before names what is renamed now."""
        self._path.rename(self._numbered(self._number))
        self._number += 1
        os.close(self._file)
        self._file = -1
        self._file = self._descriptor()
        self._remember(FilePosition(file=self._number, bytes=0, positions=self._at.positions))
        for _, path in sorted(self._renamed())[: -self._keep] if self._keep else ():
            path.unlink(missing_ok=True)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.stem}.{number:06}{self._path.suffix}")

    def _renamed(self) -> list[tuple[int, Path]]:
        pattern = re.compile(rf"{re.escape(self._path.stem)}\.(\d{{6,}}){re.escape(self._path.suffix)}")
        found = ((pattern.fullmatch(path.name), path) for path in self._path.parent.iterdir())
        return [(int(match[1]), path) for match, path in found if match]

    def _sync_folder(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _failed(self, error: OSError) -> Exception:
        if error.errno in (errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.EISDIR):
            return BadConfiguration(
                f"{self._path} cannot be written: {error.strerror}. Choose another `path`, or give the process the right to it."
            )
        return StoreFailed(f"{self._path} cannot be written: {error.strerror}. It is tried again, and nothing is lost meanwhile.")


def _ids(path: Path, start: int, id_of: Callable[[bytes], str | None]) -> Iterator[str]:
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            with suppress(InvalidRecord):
                if line.endswith(b"\n") and (found := id_of(line)) is not None:
                    yield found
