"""The memory of a process as the system shows it. `ru_maxrss` is no measure of a child: it starts at its parent's size."""

import os
from pathlib import Path


def status_mib(pid: int, field: str) -> float:
    """Read a size from the process' status; 0 if the system does not show it."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:")), 0.0)


def own_peak_mib() -> float:
    """Return the most memory (MiB) that this process had."""
    return status_mib(os.getpid(), "VmHWM")
