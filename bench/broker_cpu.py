"""The CPU time of local brokers, found by the ports on which they listen. Linux only; elsewhere the result is 0."""

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from bench.sockets import inodes

_LISTENING = "0A"
_LOCAL, _STATE, _INODE = 1, 3, 9  # columns of /proc/net/tcp
_USER, _SYSTEM = 13, 14  # fields of /proc/PID/stat


def broker_cpu_s(brokers: Iterable[tuple[str, int]]) -> float:
    """Return the CPU seconds that the processes behind these addresses have used so far."""
    return sum(_cpu_s(pid) for pid in _pids({port for _, port in brokers}))


def _pids(ports: Collection[int]) -> Iterator[int]:
    try:
        lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    except OSError:
        return
    wanted = {line[_INODE] for line in lines if line[_STATE] == _LISTENING and int(line[_LOCAL].rpartition(":")[2], 16) in ports}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if wanted & set(inodes(int(entry.name))):
                    yield int(entry.name)
            except OSError:  # another user's, or gone
                continue


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[_USER - 2]) + int(fields[_SYSTEM - 2])
    return ticks / os.sysconf("SC_CLK_TCK")
