"""The memory of a measured process is its own, whatever the process that started it had."""

import subprocess
import sys

MIB = 1 << 20


def test_a_process_does_not_begin_at_the_size_of_the_one_that_started_it() -> None:
    held = bytearray(b"x") * (300 * MIB)
    command = [sys.executable, "-c", "from bench.memory import own_peak_mib; print(own_peak_mib())"]
    printed = subprocess.run(command, capture_output=True, check=True, timeout=120).stdout
    assert len(held) == 300 * MIB
    assert 0 < float(printed) < 150
