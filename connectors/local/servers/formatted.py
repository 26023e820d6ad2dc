"""A broker's data folder as Kafka's own tool formats it, without a JVM for each.

The tool writes two files: who the broker is, and a checkpoint with the feature levels of its release, the same for every broker but for
the time in it. So the first checkpoint that the tool writes is kept, and further folders get a copy of it: a JVM less in each start.
"""

import base64
import secrets
import uuid
from pathlib import Path
from typing import Final

import msgspec

_CHECKPOINT: Final = "bootstrap.checkpoint"
_IDENTITY: Final = "meta.properties"


class FormattedData(msgspec.Struct, frozen=True):
    """Where the checkpoint of a release is kept, whether it is there yet or not."""

    path: Path

    def write(self, data: Path, cluster_id: str, node: int) -> bool:
        """Format a folder that is not formatted yet; return False where only the tool can."""
        if (data / _IDENTITY).exists():
            return True
        if not self.path.is_file():
            return False
        data.mkdir(parents=True, exist_ok=True)
        (data / _CHECKPOINT).write_bytes(self.path.read_bytes())
        values = {"version": "1", "cluster.id": cluster_id, "node.id": str(node), "directory.id": random_id()}
        _write(data / _IDENTITY, "".join(f"{name}={value}\n" for name, value in values.items()).encode())
        return True

    def keep(self, data: Path) -> None:
        """Keep the checkpoint of a folder that the tool has formatted."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        _write(self.path, (data / _CHECKPOINT).read_bytes())


def random_id() -> str:
    """Return an id of a cluster or a folder in Kafka's form, 22 characters of base64.

    The first bit is zero: Kafka's tools would take an id that begins with "-" for an option.
    """
    return base64.urlsafe_b64encode((uuid.uuid4().int >> 1).to_bytes(16, "big")).decode().rstrip("=")


def _write(path: Path, content: bytes) -> None:
    """Write a file so that nobody sees half of it."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    draft.write_bytes(content)
    draft.replace(path)
