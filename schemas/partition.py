"""The partition of a key: murmur2, as Java clients compute it, of the key up to its first `|`."""

import struct
from functools import lru_cache
from typing import Final

_M: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Hash as Kafka's default partitioner does (org.apache.kafka.common.utils.Utils.murmur2), as an unsigned 32-bit integer."""
    length = len(data)
    h = 0x9747B28C ^ length
    words, tail = divmod(length, 4)
    for k in struct.unpack_from(f"<{words}I", data):
        k = (k * _M) & _MASK
        k ^= k >> 24
        h = ((h * _M) ^ (k * _M)) & _MASK
    if tail:
        h = ((h ^ int.from_bytes(data[length - tail :], "little")) * _M) & _MASK
    h = ((h ^ (h >> 13)) * _M) & _MASK
    return h ^ (h >> 15)


@lru_cache(maxsize=1 << 16)  # a hash in pure Python takes microseconds, and keys repeat
def partition_of(key: bytes, count: int) -> int:
    """Return the partition of a key among `count`: all keys `group|item` of a group have the same one."""
    group = key.partition(b"|")[0]
    return (murmur2(group) & 0x7FFFFFFF) % count
