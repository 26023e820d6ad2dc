"""Tables larger than memory: a store in RocksDB, one directory for each partition.

Changes and the bookmark that covers them are one write batch, so after a crash the files contain the table as of some bookmark.
Writes go to RocksDB's log without fsync. When the machine fails, the end of that log is lost, and the table with its bookmark is
an older one; Kafka has the later changes, which are read again. A kill of the process loses nothing: the operating system has the
log.

Calls block the event loop, like the step that makes them: mostly for microseconds, because frequently read blocks are in memory.
"""

import asyncio
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import structlog
from rocksdict import (
    BlockBasedOptions,
    Cache,
    Checkpoint,
    DBCompressionType,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
    WriteBufferManager,
)

from schemas.errors import StoreFailed
from streams.engine.tables.store import Bookmark, MemoryStore, Store

log = structlog.get_logger(__name__)

_BOOKMARK = b"\xff"  # no UTF-8 text holds this byte
_LOCK_TRIES = 30  # a previous owner on this machine releases a partition within …
_LOCK_PAUSE = 0.1  # … 3 s; an owner that holds it longer is frozen
_CACHE_BYTES = 64 << 20  # recently read blocks, for all tables of the process
_UNWRITTEN_BYTES = 64 << 20  # rows not yet in files, for all tables of the process
_FLUSH_BYTES = 16 << 20  # … and of one table


class RocksStore:
    """Implement `streams.engine.tables.store.Store` in a directory of its own, which RocksDB locks."""

    def __init__(self, folder: Path, options: Options, *, private: bool = False) -> None:
        self._folder = folder
        self._options = options
        self._private = private
        self._corrupt = False
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
            self._rows.close()
            shutil.rmtree(self._folder)
            self._open()

    def close(self) -> None:
        with suppress(Exception):  # the changelog has what can no longer be written
            self._rows.close()
        if self._private or self._corrupt:
            shutil.rmtree(self._folder, ignore_errors=True)

    def copy_to(self, folder: Path) -> None:
        """Copy the rows into another directory. The copy shares files with this one, so it is quick and takes little space."""
        with self._translate_errors():
            Checkpoint(self._rows).create_checkpoint(str(folder))

    def move_to(self, folder: Path) -> None:
        """Continue in the partition's own directory and replace what is there; the store is no longer private."""
        with self._translate_errors():
            self._rows.close()
            shutil.rmtree(folder)
            self._folder.rename(folder)
            self._folder, self._private = folder, False
            self._open()

    def _open(self) -> None:
        try:
            self._rows = Rdict(str(self._folder), self._options)
            data = self._rows.get(_BOOKMARK)
            self.bookmark = None if data is None else msgspec.msgpack.decode(data, type=Bookmark)
        except Exception as error:
            raise _OpenError(str(error)) from error

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise StoreFailed for an error of RocksDB. A corrupt directory is deleted at close and restored."""
        try:
            yield
        except Exception as error:  # RocksDB's binding raises nothing narrower
            self._corrupt = self._corrupt or "Corruption" in str(error)
            raise _store_failed(self._folder, str(error)) from error


class _OpenError(Exception):
    """RocksDB does not open a directory."""

    @property
    def locked(self) -> bool:
        return "lock hold by current process" in str(self) or ("While lock file" in str(self) and "unavailable" in str(self))

    @property
    def corrupt(self) -> bool:
        return "Corruption" in str(self) or "No such file" in str(self)


class RocksStores:
    """Open stores: on disk for the agents named, in memory for all others. Implements `OpenStore` and `StandbyStores`.

    A standby is a private directory: workers of one host each have their own, and none obstructs the partition's owner.
    """

    def __init__(self, folder: Path, agents: frozenset[str]) -> None:
        self._folder = folder
        self._agents = agents
        self._options = _options()

    async def __call__(self, agent: str, partition: int) -> Store:
        """Open `{folder}/{agent}/{partition}`, or a private directory while a frozen process holds its lock."""
        if agent not in self._agents:
            return MemoryStore()
        folder = self._folder / agent / str(partition)
        _make_directory(folder.parent)
        self._sweep(folder)
        for _ in range(_LOCK_TRIES):
            try:
                return self._open(folder)
            except _OpenError as error:
                if not error.locked:
                    raise _store_failed(folder, str(error)) from error
                await asyncio.sleep(_LOCK_PAUSE)
        log.warning("table is locked by another process; working on a copy", agent=agent, partition=partition)
        return self._open_private(_private_folder(folder))

    async def open_standby(self, agent: str, partition: int) -> Store:
        """Open a private directory with a copy of the partition's directory, if this host once owned the partition."""
        if agent not in self._agents:
            return MemoryStore()
        folder = self._folder / agent / str(partition)
        _make_directory(folder.parent)
        self._sweep(folder)
        private = _private_folder(folder)
        if folder.exists():
            await asyncio.to_thread(self._copy, folder, private)
        return self._open_private(private)

    async def promote(self, agent: str, partition: int, standby: Store) -> Store:
        """Replace the partition's directory by a standby, unless it is further ahead: its owner was a worker of this host."""
        if not isinstance(standby, RocksStore):
            return standby
        folder = self._folder / agent / str(partition)
        try:
            own = self._open(folder)
        except _OpenError as error:
            if not error.locked:
                raise _store_failed(folder, str(error)) from error
            return standby  # the directory's owner is frozen
        if _offset(own) >= _offset(standby):
            standby.close()
            return own
        own.close()
        standby.move_to(folder)
        return standby

    def release(self, store: Store) -> Store | None:
        """Close a directory, because the next owner may be a worker of this host."""
        if isinstance(store, RocksStore):
            store.close()
            return None
        return store

    def _copy(self, folder: Path, private: Path) -> None:
        try:
            own = RocksStore(folder, self._options)
        except _OpenError:
            return  # another worker of this host uses it
        try:
            own.copy_to(private)
        except StoreFailed:
            shutil.rmtree(private, ignore_errors=True)
        finally:
            own.close()

    def _open_private(self, folder: Path) -> RocksStore:
        try:
            return RocksStore(folder, self._options, private=True)
        except _OpenError as error:
            raise _store_failed(folder, str(error)) from error

    def _open(self, folder: Path) -> RocksStore:
        try:
            return RocksStore(folder, self._options)
        except _OpenError as error:
            if not error.corrupt:
                raise
            log.warning("table on disk is corrupt; restoring it", table=f"{folder.parent.name}/{folder.name}", reason=str(error))
            shutil.rmtree(folder)
            return RocksStore(folder, self._options)

    def _sweep(self, folder: Path) -> None:
        """Delete private directories whose process has ended; deletion fails for those in use, because they are locked."""
        for stale in folder.parent.glob(f"{folder.name}.*"):
            with suppress(Exception):
                Rdict.destroy(str(stale), self._options)
                shutil.rmtree(stale, ignore_errors=True)


def _private_folder(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.{uuid.uuid4().hex}")


def _offset(store: Store) -> int:
    return -1 if store.bookmark is None else store.bookmark.offset


def _make_directory(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _store_failed(folder, error.strerror or str(error)) from error


def _store_failed(folder: Path, reason: str) -> StoreFailed:
    return StoreFailed(
        f"the table in {folder} can be neither read nor written: {reason}. Its disk is full or failing; nothing is lost, the "
        "changelog has it all. Make room, or move worker.state_dir."
    )


def _options() -> Options:
    """Return options for many small databases in one process: they share their memory and keep few files open."""
    blocks = BlockBasedOptions()
    blocks.set_block_cache(Cache(_CACHE_BYTES))
    blocks.set_bloom_filter(10, block_based=False)
    blocks.set_cache_index_and_filter_blocks(v=True)
    options = Options(raw_mode=True)
    options.create_if_missing(create_if_missing=True)
    options.set_block_based_table_factory(blocks)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_level_compaction_dynamic_level_bytes(v=True)
    options.set_write_buffer_manager(WriteBufferManager(_UNWRITTEN_BYTES, allow_stall=False))
    options.set_write_buffer_size(_FLUSH_BYTES)
    options.set_max_open_files(128)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(1 << 20)
    options.set_stats_dump_period_sec(0)
    return options
