"""One table in RocksDB: a store in a directory of its own."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from rocksdict import Checkpoint, Options, Rdict, ReadOptions, WriteBatch

from schemas.errors import StoreFailed
from streams.engine.tables.store import Bookmark

_BOOKMARK = b"\xff"  # no UTF-8 text holds this byte
_REWRITTEN = "rewritten"  # the name of a file


class RocksStore:
    """Implement `streams.engine.tables.store.Store` in a directory of its own, which RocksDB locks."""

    def __init__(self, folder: Path, options: Options, *, private: bool = False) -> None:
        self._folder = folder
        self._options = options
        self._private = private
        self._corrupt = False
        self._closed = True
        self._wiping = threading.Lock()
        self.bookmark: Bookmark | None = None
        self._open()

    def __repr__(self) -> str:
        return f"<RocksStore {self._folder.name}>"

    def __len__(self) -> int:
        with self._translate_errors():
            return int(self._rows.property_int_value("rocksdb.estimate-num-keys") or 0)

    def get(self, key: str) -> bytes | None:
        with self._translate_errors():
            value: bytes | None = self._rows.get(key.encode())
            return value

    def walk(self, group: str, after: str) -> Iterator[tuple[str, bytes]]:
        start = len(group.encode()) + 1
        options = ReadOptions()
        options.set_iterate_upper_bound(f"{group}}}".encode())  # the character after the bar
        with self._translate_errors():
            rows = self._rows.iter(options)
            rows.seek(f"{group}|{after}\0".encode() if after else f"{group}|".encode())
        while rows.valid():
            yield rows.key()[start:].decode(), rows.value()
            rows.next()
        with self._translate_errors():
            rows.status()

    def groups(self, after: str) -> Iterator[str]:
        with self._translate_errors():
            (rows := self._rows.iter(ReadOptions())).seek(f"{after}\0".encode())
        while rows.valid():
            if b"|" not in (key := rows.key()) and key != _BOOKMARK:
                yield key.decode()
            rows.next()
        with self._translate_errors():
            rows.status()

    def items(self) -> Iterator[tuple[str, bytes]]:
        with self._translate_errors():
            rows = self._rows.iter(ReadOptions())
            rows.seek_to_first()
        while rows.valid():
            if (key := rows.key()) != _BOOKMARK:
                yield key.decode(), rows.value()
            rows.next()
        with self._translate_errors():
            rows.status()

    def apply(self, changes: Mapping[str, bytes | None], bookmark: Bookmark | None = None) -> None:
        batch = WriteBatch(raw_mode=True)
        for key, value in changes.items():
            if value is None:
                batch.delete(key.encode())
            else:
                batch.put(key.encode(), value)
        if bookmark is not None:
            batch.put(_BOOKMARK, msgspec.msgpack.encode(bookmark))
        with self._translate_errors():
            self._rows.write(batch)
        self.bookmark = bookmark or self.bookmark

    def clear(self) -> None:
        with self._translate_errors():
            self._close()
            shutil.rmtree(self._folder)
            self._open()

    def wipe(self) -> None:
        """Rewrite the files, so that deleted and replaced rows leave them. It blocks for seconds, so call it in a thread."""
        with self._wiping, self._translate_errors():
            if self._closed:
                return
            self._rows.flush()
            self._rows.compact_range(None, None)
            self._rewritten.touch()

    def wiped_before(self, time: float) -> bool:
        """Return whether the files were last rewritten, or made, before that time (seconds since 1970)."""
        return not self._closed and self._rewritten.stat().st_mtime < time

    def close(self) -> None:
        with suppress(Exception):  # the changelog has what can no longer be written
            self._close()
        if self._private or self._corrupt:
            shutil.rmtree(self._folder, ignore_errors=True)

    def copy_to(self, folder: Path) -> None:
        """Copy the rows into another directory. The copy shares files with this one, so it is quick and takes little space."""
        with self._translate_errors():
            Checkpoint(self._rows).create_checkpoint(str(folder))

    def move_to(self, folder: Path) -> None:
        """Continue in the partition's own directory and replace what is there; the store is no longer private."""
        with self._translate_errors():
            self._close()
            shutil.rmtree(folder)
            self._folder.rename(folder)
            self._folder, self._private = folder, False
            self._open()

    def _close(self) -> None:
        """Close the database; one that is being rewritten refuses until that is broken off."""
        self._closed = True
        if self._wiping.locked():
            self._rows.cancel_all_background(wait=True)
        with self._wiping:
            self._rows.close()

    @property
    def _rewritten(self) -> Path:
        """The file whose time is when the others were rewritten last."""
        return self._folder / _REWRITTEN

    def _open(self) -> None:
        try:
            self._rows = Rdict(str(self._folder), self._options)
            self._closed = False
            data = self._rows.get(_BOOKMARK)
            self.bookmark = None if data is None else msgspec.msgpack.decode(data, type=Bookmark)
            if not self._rewritten.exists():
                self._rewritten.touch()
        except Exception as error:
            raise OpenError(str(error)) from error

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise StoreFailed for an error of RocksDB. A corrupt directory is deleted at close and restored."""
        try:
            yield
        except Exception as error:  # RocksDB's binding raises nothing narrower
            self._corrupt = self._corrupt or "Corruption" in str(error)
            raise store_failed(self._folder, str(error)) from error


class OpenError(Exception):
    """RocksDB does not open a directory."""

    @property
    def locked(self) -> bool:
        return "lock hold by current process" in str(self) or ("While lock file" in str(self) and "unavailable" in str(self))

    @property
    def corrupt(self) -> bool:
        return "Corruption" in str(self) or "No such file" in str(self)


def store_failed(folder: Path, reason: str) -> StoreFailed:
    return StoreFailed(
        f"the table in {folder} can be neither read nor written: {reason}. Its disk is full or failing; nothing is lost, the "
        "changelog has it all. Make room, or move worker.state_dir."
    )
