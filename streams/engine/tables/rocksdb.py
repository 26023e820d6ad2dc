"""Tables larger than memory: a store in RocksDB, one directory for each partition.

Changes and the bookmark that covers them are one write batch, so after a crash the files contain the table as of some bookmark.
Writes go to RocksDB's log without fsync. When the machine fails, the end of that log is lost, and the table with its bookmark is
an older one; Kafka has the later changes, which are read again. A kill of the process loses nothing: the operating system has the
log.

Calls block the event loop, like the step that makes them: mostly for microseconds, because frequently read blocks are in memory.
"""

import asyncio
import shutil
import time
import uuid
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import structlog
from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBufferManager,
)

from schemas.errors import StoreFailed
from streams.engine.tables.rocksdb_store import OpenError, RocksStore, store_failed
from streams.engine.tables.store import MemoryStore, Store

log = structlog.get_logger(__name__)

_WIPE_AFTER_S = 7 * 86_400.0  # as long as patches and tombstones are kept; the receipts of erasures name this time
_WIPE_EVERY_S = 3_600.0  # how often is looked
_LOCK_TRIES = 30  # a previous owner on this machine releases a partition within …
_LOCK_PAUSE = 0.1  # … 3 s; an owner that holds it longer is frozen
_CACHE_BYTES = 64 << 20  # recently read blocks, for all tables of the process
_UNWRITTEN_BYTES = 64 << 20  # rows not yet in files, for all tables of the process
_FLUSH_BYTES = 16 << 20  # … and of one table


class RocksStores:
    """Open stores: on disk for the agents named, in memory for all others. Implements `OpenStore` and `StandbyStores`.

    A standby is a private directory: workers of one host each have their own, and none obstructs the partition's owner.
    """

    def __init__(self, folder: Path, agents: frozenset[str], subfolders: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._subfolders = subfolders or {}  # of agents whose folder is not called as they are
        self._agents = agents
        self._options = _options()
        self._opened: weakref.WeakSet[RocksStore] = weakref.WeakSet()

    async def __call__(self, agent: str, partition: int) -> Store:
        """Open `{folder}/{agent}/{partition}`, or a private directory while a frozen process holds its lock."""
        if agent not in self._agents:
            return MemoryStore()
        folder = self._partition_folder(agent, partition)
        _make_directory(folder.parent)
        self._sweep(folder)
        for _ in range(_LOCK_TRIES):
            try:
                return self._open(folder)
            except OpenError as error:
                if not error.locked:
                    raise store_failed(folder, str(error)) from error
                await asyncio.sleep(_LOCK_PAUSE)
        log.warning("table is locked by another process; working on a copy", agent=agent, partition=partition)
        return self._open_private(_private_folder(folder))

    async def keep_wiped(self, after_s: float = _WIPE_AFTER_S, every_s: float = _WIPE_EVERY_S) -> None:
        """Rewrite each store's files once they are that old, one store at a time, until cancelled: erased rows leave the disk."""
        while True:
            for store in [store for store in self._opened if store.wiped_before(time.time() - after_s)]:
                try:
                    await asyncio.to_thread(store.wipe)
                except StoreFailed as error:  # also where the partition has moved meanwhile
                    log.warning("table is not rewritten", table=str(store), reason=str(error))
            await asyncio.sleep(every_s)

    async def open_standby(self, agent: str, partition: int) -> Store:
        """Open a private directory with a copy of the partition's directory, if this host once owned the partition."""
        if agent not in self._agents:
            return MemoryStore()
        folder = self._partition_folder(agent, partition)
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
        folder = self._partition_folder(agent, partition)
        try:
            own = self._open(folder)
        except OpenError as error:
            if not error.locked:
                raise store_failed(folder, str(error)) from error
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

    def _partition_folder(self, agent: str, partition: int) -> Path:
        return self._folder / self._subfolders.get(agent, agent) / str(partition)

    def _copy(self, folder: Path, private: Path) -> None:
        try:
            own = RocksStore(folder, self._options)
        except OpenError:
            return  # another worker of this host uses it
        try:
            own.copy_to(private)
        except StoreFailed:
            shutil.rmtree(private, ignore_errors=True)
        finally:
            own.close()

    def _open_private(self, folder: Path) -> RocksStore:
        try:
            return self._remembered(RocksStore(folder, self._options, private=True))
        except OpenError as error:
            raise store_failed(folder, str(error)) from error

    def _open(self, folder: Path) -> RocksStore:
        try:
            return self._remembered(RocksStore(folder, self._options))
        except OpenError as error:
            if not error.corrupt:
                raise
            log.warning("table on disk is corrupt; restoring it", table=f"{folder.parent.name}/{folder.name}", reason=str(error))
            shutil.rmtree(folder)
            return self._remembered(RocksStore(folder, self._options))

    def _remembered(self, store: RocksStore) -> RocksStore:
        self._opened.add(store)
        return store

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
        raise store_failed(folder, error.strerror or str(error)) from error


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
