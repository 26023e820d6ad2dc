"""How glibc gives memory back, set for a worker: few threads, and large buffers that live as long as a transaction.

By default each thread has a heap of its own, and buffers as large as a batch come to be kept in heaps, where what is freed between rows that
stay cannot be given back. With one heap, and buffers outside of it, a replay of 200,000 events over 20,000 contacts grew the worker
by 128 MiB where it had grown it by 190 (docs/decisions.md).
"""

import ctypes
from typing import Any, Final

_ARENA_MAX: Final = -8  # the parameters' numbers in glibc's malloc.h; mallopt(3) describes them
_MMAP_THRESHOLD: Final = -3
_LARGE: Final = 256 << 10  # bytes


def return_large_buffers(libc: Any = None) -> bool:
    """Set the allocator for the rest of the process, before it starts threads; do nothing, and say so, where it is not glibc's."""
    mallopt = getattr(libc or ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_ARENA_MAX, 1) and mallopt(_MMAP_THRESHOLD, _LARGE))
