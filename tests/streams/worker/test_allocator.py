import subprocess
import sys
from platform import libc_ver
from types import SimpleNamespace

import pytest

from streams.worker.allocator import return_large_buffers

# Half of the buffers are freed, each beside one that stays: what the process keeps of the freed ones is what it could not give back.
_KEPT = """
import sys
from streams.worker.allocator import return_large_buffers
if sys.argv[1] == "set":
    assert return_large_buffers()
def kib():
    return int(open("/proc/self/statm").read().split()[1]) * 4
for size in (2, 4, 8):
    large = [bytes([1]) * (size << 20) for _ in range(2)]  # once such were freed, glibc keeps buffers up to their size in its heap
    del large
before = kib()
buffers = [bytes([1]) * (300 << 10) for _ in range(400)]
del buffers[::2]
print(kib() - before)
"""


def test_another_library_is_left_as_it_is() -> None:
    assert return_large_buffers(SimpleNamespace()) is False


@pytest.mark.skipif(libc_ver()[0] != "glibc", reason="the setting is glibc's")
def test_freed_buffers_go_back_to_the_system() -> None:
    kept = {how: int(subprocess.check_output([sys.executable, "-c", _KEPT, how])) for how in ("set", "unset")}
    assert kept["set"] < kept["unset"] * 0.7
