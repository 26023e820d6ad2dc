"""The product as a user starts it: its configuration file, its commands, and its readiness. No benchmark uses its internals."""

import http.client
import sys
import time
from collections.abc import Sequence
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
PROGRAM = (sys.executable, "-m", "streams.cli")
"""The command line of this checkout; an earlier one has its own."""


class Deployment(msgspec.Struct, frozen=True):
    """One deployment: its port, the cluster and the prefix of its topics, and a folder for its files."""

    port: int
    bootstrap: str
    prefix: str
    folder: Path


def write_config(
    deployment: Deployment,
    *,
    processes: int = 1,
    spool_always: bool = False,
    partitions: int = 4,
    probes: int | None = None,
    on_disk: Sequence[str] = (),
    tenant: str = "",
) -> Path:
    """Write the configuration file. A worker serves probes if a port is given for them, and keeps the tables `on_disk` in its folder.

    `tenant` is TOML about the tenant: its rules and policies.
    """
    file = deployment.folder / "intercom-streams.toml"
    file.write_text(f"""\
[kafka]
bootstrap = "{deployment.bootstrap}"
topic_prefix = "{deployment.prefix}"
partitions = {partitions}
[ingress]
listen = "127.0.0.1:{deployment.port}"
spool = "{deployment.folder / "spool"}"
processes = {processes}
spool_always = {str(spool_always).lower()}
[worker]
listen = "{f"127.0.0.1:{probes}" if probes else ""}"
state_dir = "{deployment.folder / "tables"}"
on_disk = [{", ".join(f'"{agent}"' for agent in on_disk)}]
[[apps]]
name = "{APP}"
client_secrets = ["{SECRET}"]
[[tenants]]
id = "bench"
[[tenants.workspaces]]
app_id = "{APP_ID}"
app = "{APP}"
{tenant}""")
    return file


def command(config: Path, *verb: str, program: Sequence[str] = PROGRAM) -> Child:
    """Run a verb of the command line with a configuration file."""
    return Child([*program, "--config", str(config), *verb])


def create_topics(config: Path, program: Sequence[str] = PROGRAM) -> None:
    """Create the product's topics."""
    child = command(config, "topics", "apply", program=program)
    child.wait_for_success(_START_S)


def inbound_topics(prefix: str) -> list[str]:
    """Return the topics that the ingress writes, with their prefix."""
    return [f"{prefix}{topic.name}" for topic in TOPICS.values() if "ingress" in topic.written_by]


def wait_until_ready(child: Child, port: int, path: str = "/ready") -> None:
    """Wait until the path answers 200; raise `MustStop` with the end of the output if it does not."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
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
