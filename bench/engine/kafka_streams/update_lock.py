"""Rewrites `streams.lock` for the Kafka version of the local stack: `python -m bench.engine.kafka_streams.update_lock`."""

import tempfile
from pathlib import Path
from typing import Any

from jgo.maven import MavenContext, PythonResolver

from bench.engine.kafka_streams.program import LOCK, PART
from connectors.local.download.update_lockfile import KAFKA, lock_line

_HEAD = """\
# The jars of Kafka Streams for the engine benchmark; each is checked against its sum. Written by update_lock.py beside it.
# part  group:name:version:classifier:packaging  SHA-256  bytes
"""


def main() -> None:
    """Resolve, download, hash, write."""
    with tempfile.TemporaryDirectory() as folder:
        context: Any = MavenContext(resolver=PythonResolver(), repo_cache=Path(folder), local_repos=[], timeout=60)
        root = context.create_dependency(f"org.apache.kafka:kafka-streams:{KAFKA}")
        inputs, transitive = context.resolver.resolve([root])
        artifacts = [dependency.artifact for dependency in (*inputs, *transitive)]
        LOCK.write_text(_HEAD + "".join(sorted(lock_line(PART, artifact) for artifact in artifacts)))


if __name__ == "__main__":
    main()
