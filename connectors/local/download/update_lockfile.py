"""Rewrites `artifacts.lock`. Change a version below, run `python -m connectors.local.download.update_lockfile`, review the diff.

Each root is resolved on its own: resolved together, one root changes the versions of another's dependencies.
"""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from jgo.maven import MavenContext, PythonResolver

from connectors.local.download.lockfile import LOCK

KAFKA = "4.3.1"
LOG4J = "2.25.4"  # the version Kafka's own jars bring
APICURIO = "3.3.3"

_HEAD = """\
# What the local stack downloads; each file is checked against its sum. Written by connectors/local/download/update_lockfile.py.
# part  group:name:version:classifier:packaging  SHA-256  bytes
"""


def main() -> None:
    """Resolve, download, hash, write."""
    with tempfile.TemporaryDirectory() as folder:
        context: Any = MavenContext(resolver=PythonResolver(), repo_cache=Path(folder), local_repos=[], timeout=60)
        rows = [("kafka", artifact) for artifact in _kafka(context)]
        rows.append(
            (
                "registry",
                _artifact(context, f"io.apicurio:apicurio-registry-app:{APICURIO}", classifier="all", packaging="tar.gz"),
            )
        )
        LOCK.write_text(_HEAD + "".join(sorted(lock_line(part, artifact) for part, artifact in rows)))


def _kafka(context: Any) -> list[Any]:
    root = context.create_dependency(f"org.apache.kafka:kafka_2.13:{KAFKA}")
    inputs, transitive = context.resolver.resolve([root])
    # Kafka does not choose a logging binding; without one it logs nothing at all.
    binding = _artifact(context, f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J}")
    return [*(dependency.artifact for dependency in [*inputs, *transitive]), binding]


def _artifact(context: Any, coordinate: str, *, classifier: str = "", packaging: str = "jar") -> Any:
    group, name, version = coordinate.split(":")
    return context.project(group, name).at_version(version).artifact(classifier=classifier, packaging=packaging)


def lock_line(part: str, artifact: Any) -> str:
    """Return the line of an artifact, which it downloads."""
    content = artifact.resolve().read_bytes()
    coordinate = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}:{artifact.classifier}:{artifact.packaging}"
    return f"{part} {coordinate} {hashlib.sha256(content).hexdigest()} {len(content)}\n"


if __name__ == "__main__":
    main()
