"""The product as a user starts it: its configuration file, its commands, and when it is ready. No benchmark reaches into it."""

import http.client
import time
from pathlib import Path

import msgspec

from bench.child import Child
from schemas.errors import MustStop
from schemas.topics import TOPICS

APP = "bench"
APP_ID = "bench0001"
SECRET = "benchmark-only-secret"
WEBHOOKS = "/webhooks/intercom"
_START_S = 60


class Place(msgspec.Struct, frozen=True):
    """Where it works: its port, the cluster with the prefix of its topics, and a folder for its files."""

    port: int
    bootstrap: str
    prefix: str
    folder: Path


def configured(
    place: Place, *, processes: int = 1, spool_always: bool = False, partitions: int = 4, probes: int | None = None
) -> Path:
    """Write its configuration file. A worker answers probes where a port is given for them."""
    file = place.folder / "intercom-streams.toml"
    file.write_text(f"""\
[kafka]
bootstrap = "{place.bootstrap}"
topic_prefix = "{place.prefix}"
partitions = {partitions}
[ingress]
listen = "127.0.0.1:{place.port}"
spool = "{place.folder / "spool"}"
processes = {processes}
spool_always = {str(spool_always).lower()}
[worker]
listen = "{f"127.0.0.1:{probes}" if probes else ""}"
[[apps]]
name = "{APP}"
client_secrets = ["{SECRET}"]
[[tenants]]
id = "bench"
[[tenants.workspaces]]
app_id = "{APP_ID}"
app = "{APP}"
""")
    return file


def command(config: Path, *verb: str) -> Child:
    """Run a verb of the command line with a configuration file."""
    return Child.python("-m", "streams.cli", "--config", str(config), *verb)


def applied(config: Path) -> None:
    """Create its topics."""
    child = command(config, "topics", "apply")
    child.done_within(_START_S)


def inbound(prefix: str) -> list[str]:
    """Return the topics that the ingress writes, as the broker knows them."""
    return [f"{prefix}{topic.name}" for topic in TOPICS.values() if "ingress" in topic.written_by]


def until_ready(child: Child, port: int, path: str = "/ready") -> None:
    """Return when it answers 200 there; raise `MustStop` with its last words if it does not."""
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        child.must_run()
        if _answers(port, path):
            return
        time.sleep(0.1)
    raise MustStop(f"{' '.join(child.command[1:4])} was not ready within {_START_S} s:\n{child.output()[-2000:]}")


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
