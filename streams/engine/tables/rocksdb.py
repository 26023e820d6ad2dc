"""Tables larger than memory: a store in RocksDB, one directory for each partition.

Every change and the bookmark that covers it are one write batch, so whatever a crash leaves is the table as it stood at that bookmark.
Writes go to RocksDB's log without fsync. When the machine fails, the end of that log is lost, and the table with its bookmark is an
older one; Kafka has all that came after and is read from there. A kill of the process loses nothing: the system has the log.

Calls block the event loop, like the step that makes them: mostly microseconds, for what is read often is in memory.
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
_LOCK_TRIES = 30  # a partition that changes hands within this machine is let go by its owner before within …
_LOCK_PAUSE = 0.1  # … 3 s; who holds it longer is frozen, and is not waited for
_CACHE_BYTES = 64 << 20  # blocks read lately, for all tables of the process
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
        with self._watched():
            return int(self._rows.property_int_value("rocksdb.estimate-num-keys") or 0)

    def get(self, key: str) -> bytes | None:
        with self._watched():
            found: bytes | None = self._rows.get(key.encode())
            return found

    def walk(self, group: str, after: str) -> Iterator[tuple[str, bytes]]:
        start = len(group.encode()) + 1
        options = ReadOptions()
        options.set_iterate_upper_bound(f"{group}}}".encode())  # the character behind the bar
        with self._watched():
            rows = self._rows.iter(options)
            rows.seek(f"{group}|{after}\0".encode() if after else f"{group}|".encode())
        while rows.valid():
            yield rows.key()[start:].decode(), rows.value()
            rows.next()
        with self._watched():
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
        with self._watched():
            self._rows.write(batch)
        self.bookmark = bookmark or self.bookmark

    def clear(self) -> None:
        with self._watched():
            self._rows.close()
            shutil.rmtree(self._folder)
            self._open()

    def close(self) -> None:
        with suppress(Exception):  # what cannot be written any more is in the changelog
            self._rows.close()
        if self._private or self._corrupt:
            shutil.rmtree(self._folder, ignore_errors=True)

    def copied_to(self, folder: Path) -> None:
        """Make a copy of what is held now. It shares files with this one, so it is made at once and takes little room."""
        with self._watched():
            Checkpoint(self._rows).create_checkpoint(str(folder))

    def moved_to(self, folder: Path) -> None:
        """Go on in another directory, in the place of what is there; it is nobody's private one."""
        with self._watched():
            self._rows.close()
            shutil.rmtree(folder)
            self._folder.rename(folder)
            self._folder, self._private = folder, False
            self._open()

    def _open(self) -> None:
        try:
            self._rows = Rdict(str(self._folder), self._options)
            found = self._rows.get(_BOOKMARK)
            self.bookmark = None if found is None else msgspec.msgpack.decode(found, type=Bookmark)
        except Exception as error:
            raise _Refused(str(error)) from error

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Say what RocksDB says in our words. What is corrupt is thrown away at close and restored."""
        try:
            yield
        except Exception as error:  # RocksDB's binding raises nothing narrower
            self._corrupt = self._corrupt or "Corruption" in str(error)
            raise _failed(self._folder, str(error)) from error


class _Refused(Exception):
    """RocksDB does not open a directory."""

    @property
    def held(self) -> bool:
        return "lock hold by current process" in str(self) or ("While lock file" in str(self) and "unavailable" in str(self))

    @property
    def corrupt(self) -> bool:
        return "Corruption" in str(self) or "No such file" in str(self)


class RocksStores:
    """Open stores: on disk for the agents named, in memory for all others. Implements `OpenStore` and `StandbyStores` of `streams.engine.tables.store`.

    A spare is a private directory: workers of one host each have their own, and none is ever in the way of the partition's owner.
    """

    def __init__(self, folder: Path, agents: frozenset[str]) -> None:
        self._folder = folder
        self._agents = agents
        self._options = _options()

    async def __call__(self, agent: str, partition: int) -> Store:
        """Open `{folder}/{agent}/{partition}`, or a private directory while a process that stands still holds it."""
        if agent not in self._agents:
            return MemoryStore()
        folder = self._folder / agent / str(partition)
        _make(folder.parent)
        self._sweep(folder)
        for _ in range(_LOCK_TRIES):
            try:
                return self._opened(folder)
            except _Refused as refused:
                if not refused.held:
                    raise _failed(folder, str(refused)) from refused
                await asyncio.sleep(_LOCK_PAUSE)
        log.warning("table is held by another process; working on a copy", agent=agent, partition=partition)
        return self._privately(_private(folder))

    async def spare(self, agent: str, partition: int) -> Store:
        """Open a private directory, with a copy of what this host has of the partition from the time when it was its owner."""
        if agent not in self._agents:
            return MemoryStore()
        folder = self._folder / agent / str(partition)
        _make(folder.parent)
        self._sweep(folder)
        private = _private(folder)
        if folder.exists():
            await asyncio.to_thread(self._copy, folder, private)
        return self._privately(private)

    async def promoted(self, agent: str, partition: int, spare: Store) -> Store:
        """Put a spare in the place of the partition's directory, unless that is further on: its owner was a worker of this host."""
        if not isinstance(spare, RocksStore):
            return spare
        folder = self._folder / agent / str(partition)
        try:
            own = self._opened(folder)
        except _Refused as refused:
            if not refused.held:
                raise _failed(folder, str(refused)) from refused
            return spare  # its owner is frozen
        if _offset(own) >= _offset(spare):
            spare.close()
            return own
        own.close()
        spare.moved_to(folder)
        return spare

    def release(self, store: Store) -> Store | None:
        """Close a directory, for the next owner may be a worker of this host."""
        if isinstance(store, RocksStore):
            store.close()
            return None
        return store

    def _copy(self, folder: Path, private: Path) -> None:
        try:
            own = RocksStore(folder, self._options)
        except _Refused:
            return  # another worker of this host works in it
        try:
            own.copied_to(private)
        except StoreFailed:
            shutil.rmtree(private, ignore_errors=True)
        finally:
            own.close()

    def _privately(self, folder: Path) -> RocksStore:
        try:
            return RocksStore(folder, self._options, private=True)
        except _Refused as refused:
            raise _failed(folder, str(refused)) from refused

    def _opened(self, folder: Path) -> RocksStore:
        try:
            return RocksStore(folder, self._options)
        except _Refused as refused:
            if not refused.corrupt:
                raise
            log.warning(
                "table on disk is corrupt; restoring it", table=f"{folder.parent.name}/{folder.name}", reason=str(refused)
            )
            shutil.rmtree(folder)
            return RocksStore(folder, self._options)

    def _sweep(self, folder: Path) -> None:
        """Remove private directories whose process is gone; those in use are locked, and refuse."""
        for stale in folder.parent.glob(f"{folder.name}.*"):
            with suppress(Exception):
                Rdict.destroy(str(stale), self._options)
                shutil.rmtree(stale, ignore_errors=True)


def _private(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.{uuid.uuid4().hex}")


def _offset(store: Store) -> int:
    return -1 if store.bookmark is None else store.bookmark.offset


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _failed(folder, error.strerror or str(error)) from error


def _failed(folder: Path, reason: str) -> StoreFailed:
    return StoreFailed(
        f"the table in {folder} can be neither read nor written: {reason}. Its disk is full or failing; nothing is lost, the changelog "
        "has it all. Make room, or move worker.state_dir."
    )


def _options() -> Options:
    """Many small databases in one process: they share their memory, and keep few files open."""
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
