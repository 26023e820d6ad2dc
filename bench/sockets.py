"""The TCP connections of a process, from the system's tables. Linux only; elsewhere the result is 0."""

from collections.abc import Collection, Iterator
from pathlib import Path

_ESTABLISHED = "01"
_REMOTE, _STATE, _INODE = 2, 3, 9  # columns of /proc/net/tcp


def established(pid: int, ports: Collection[int]) -> int:
    """Return how many established connections a process has to these ports of any host."""
    try:
        own = set(inodes(pid))
        tables = [Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    except OSError:
        return 0
    lines = (line.split() for table in tables for line in table)
    return sum(line[_STATE] == _ESTABLISHED and line[_INODE] in own and _port(line[_REMOTE]) in ports for line in lines)


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def inodes(pid: int) -> Iterator[str]:
    """Yield the inodes of a process' sockets."""
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:  # closed meanwhile
            continue
        if target.startswith("socket:["):
            yield target[8:-1]
