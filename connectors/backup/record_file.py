"""One partition in a file: its records byte for byte, each closed by a hash that covers all before it.

So a file that was cut off or altered is known at the first record that differs, and the last hash stands for the whole file. Records are
compressed in blocks: 4 bytes of length, 4 of the number of records, 8 of the first offset, and zstd of the records, each with its hash behind it.
"""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO, Final

import cramjam
import msgspec

from schemas.errors import BadConfiguration

_MAGIC: Final = b"intercom-streams backup 1\n"
_BLOCK: Final = Struct(">IIq")
_FRAME: Final = Struct(">I")
_HASH: Final = 32
_BLOCK_BYTES: Final = 256 * 1024  # of records before compression: what is lost to reading when one byte of a block is altered
_LEVEL: Final = 3


class StoredRecord(msgspec.Struct, frozen=True, array_like=True):
    """A record of a topic, with the offset it had in the cluster it comes from."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    def __repr__(self) -> str:
        return f"StoredRecord({self.offset})"

    @classmethod
    def of(cls, record: Any) -> "StoredRecord":
        """Return a record that a consumer read."""
        return cls(record.offset, record.timestamp, record.key, record.value, tuple(record.headers))


_decode: Final = msgspec.msgpack.Decoder(StoredRecord).decode


class DamagedBackup(BadConfiguration):
    """A backup that is not what was written, with the place of the first record that shows it."""


class RecordFileWriter:
    """Writes a file of records from its beginning; `head` is the hash over all so far, `content` the same without offsets.

    `bytes` and `sha256` are the size and digest of the file as far as it is written: whole after `close`.
    """

    def __init__(self, file: BinaryIO, topic: str, partition: int) -> None:
        self._file = file
        self._block = bytearray()
        self._first = self._in_block = 0
        self.head = seed(topic, partition)
        self.content = ContentHash()
        self.records = self.bytes = 0
        self._digest = sha256()
        self._write(_MAGIC)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def append(self, record: StoredRecord) -> None:
        """Add a record. It is in the file after `close`."""
        data = msgspec.msgpack.encode(record)
        self.head = sha256(self.head + data).digest()
        self.content.add(record)
        self._first = self._first if self._in_block else record.offset
        self._block += _FRAME.pack(len(data)) + data + self.head
        self._in_block += 1
        self.records += 1
        if len(self._block) >= _BLOCK_BYTES:
            self._end_block()

    def close(self) -> None:
        """Write what is not written yet, to the disk itself."""
        if self._in_block:
            self._end_block()
        self._file.flush()
        os.fsync(self._file.fileno())

    def _end_block(self) -> None:
        packed = bytes(cramjam.zstd.compress(bytes(self._block), _LEVEL))
        self._write(_BLOCK.pack(len(packed), self._in_block, self._first) + packed)
        self._block.clear()
        self._in_block = 0

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.bytes += len(data)


def read_records(
    path: Path, topic: str, partition: int, *, records: int, head: str, file_sha256: str = ""
) -> Iterator[StoredRecord]:
    """Yield the records of a file that should have so many, the last with that hash; without the digest of the file that is not compared.

    Raises DamagedBackup with the first record that is missing or is not as it was written, and behind the last one where another bit differs:
    some bits of a compressed block mean nothing.
    """
    label = f"{path}: partition {partition} of {topic}"
    read, last, chain = 0, -1, seed(topic, partition)
    try:
        with path.open("rb") as opened:
            file = _DigestedFile(opened)
            for record, hash_ in _verified(file, label, chain):
                read, last, chain = read + 1, record.offset, hash_
                yield record
    except FileNotFoundError:
        raise DamagedBackup(f"{label}: the file is missing, with its {records} records") from None
    except OSError as error:
        raise DamagedBackup(f"{label}: the file cannot be read ({error.strerror})") from None
    if read < records:
        place = f" (after offset {last})" if read else ""
        raise DamagedBackup(f"{label}: record {read + 1} of {records}{place} is missing: the file was cut off")
    if read > records or chain.hex() != head:
        raise DamagedBackup(
            f"{label}: record {records} or one behind it is not what the manifest knows; one of the two was altered"
        )
    if file_sha256 not in ("", file.digest.hexdigest()):
        raise DamagedBackup(
            f"{label}: its {records} records are as they were written, but not the bytes around them: the file was altered"
        )


class _DigestedFile:
    """A file that is read from its beginning, with the digest of what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = sha256()

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data


def _verified(file: _DigestedFile, label: str, chain: bytes) -> Iterator[tuple[StoredRecord, bytes]]:
    """Yield each record, and the hash over all up to it. Raises DamagedBackup for a record that has another."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise DamagedBackup(f"{label}: the file does not begin as one of a backup; it was altered, or is another file")
    read, last = 0, -1
    while header := file.read(_BLOCK.size):
        count, first, block = _block(file, header, label, read + 1)
        frames = _frames(block)
        for number in range(count):
            data, kept = next(frames, (b"", b""))
            chain = sha256(chain + data).digest()
            if kept != chain:
                place = f"offset {first}" if number == 0 else f"the one after offset {last}"
                raise DamagedBackup(f"{label}: record {read + 1} ({place}) is not as it was written")
            record = _decode(data)
            if number == 0 and record.offset != first:
                raise DamagedBackup(f"{label}: record {read + 1} (offset {record.offset}) is in a block that was altered")
            read, last = read + 1, record.offset
            yield record, chain


def seed(topic: str, partition: int) -> bytes:
    """Return the hash that a partition's chain begins with: a file cannot stand for another."""
    return sha256(f"{topic}/{partition}".encode()).digest()


class ContentHash:
    """One hash over records in order, without their offsets: the same before and after a restore."""

    def __init__(self) -> None:
        self._chain = b""

    def add(self, record: StoredRecord) -> None:
        """Add the next record."""
        data = msgspec.msgpack.encode((record.timestamp, record.key, record.value, record.headers))
        self._chain = sha256(self._chain + data).digest()

    def hex(self) -> str:
        """Return the hash as text; empty where there was no record."""
        return self._chain.hex()


def _block(file: _DigestedFile, header: bytes, label: str, number: int) -> tuple[int, int, bytes]:
    """Return how many records a block has, the first one's offset, and its bytes."""
    if len(header) < _BLOCK.size:
        raise DamagedBackup(f"{label}: record {number} is missing: the file was cut off")
    length, count, first = _BLOCK.unpack(header)
    packed = file.read(length)
    try:
        if len(packed) == length:
            return count, first, bytes(cramjam.zstd.decompress(packed))
    except cramjam.DecompressionError:
        pass
    how = "cannot be read: the file was cut off or altered"
    raise DamagedBackup(f"{label}: record {number} (offset {first}) and the {count - 1} behind it in its block {how}")


def _frames(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the bytes and the hash of each record; less where lengths do not fit."""
    at = 0
    while at + _FRAME.size <= len(block):
        end = at + _FRAME.size + _FRAME.unpack_from(block, at)[0]
        yield block[at + _FRAME.size : end], block[end : end + _HASH]
        at = end + _HASH
