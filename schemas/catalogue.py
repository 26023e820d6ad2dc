"""The Avro schemas of this release: the current version of each by name, and every version released before it.

`schemas/avro/<name>.avsc` is current; `schemas/avro/history/<name>.<n>.avsc` are its earlier versions, n from 1. Each file
contains all the named types it uses, so that a schema is complete wherever it is registered.
"""

import json
from collections.abc import Mapping
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from schemas.canonical import canonical

DIRECTORY: Final = Path(__file__).parent / "avro"


class Schema(msgspec.Struct, frozen=True, dict=True):
    """One version of one schema, as written in its file."""

    name: str
    version: int
    definition: dict[str, Any]

    @cached_property
    def text(self) -> str:
        """The whole schema as sorted JSON, as it is hashed and registered."""
        return canonical(self.definition).decode()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the whole schema. Avro's own fingerprint leaves out defaults and docs, so two versions could share it."""
        return sha256(self.text.encode()).hexdigest()

    @cached_property
    def local_id(self) -> int:
        """The framing id without a registry: 31 bits, because some clients read the id as a signed integer."""
        return int(self.fingerprint[:8], 16) >> 1

    @property
    def uri(self) -> str:
        """The schema's name for `ce_dataschema`: the same on every installation, with or without a registry."""
        return f"urn:intercom-streams:schema:{self.name}:{self.fingerprint[:16]}"


class Catalogue(msgspec.Struct, frozen=True):
    """Current schemas by name, and earlier versions of each, oldest first."""

    current: Mapping[str, Schema]
    history: Mapping[str, tuple[Schema, ...]]

    def versions(self, name: str) -> tuple[Schema, ...]:
        """Return all versions of a schema, oldest first, the current one last."""
        return (*self.history.get(name, ()), self.current[name])


def read(directory: Path) -> Catalogue:
    """Read a directory of schemas."""
    earlier: dict[str, list[Schema]] = {}
    for path in (directory / "history").glob("*.avsc"):
        name, _, number = path.stem.rpartition(".")
        earlier.setdefault(name, []).append(Schema(name, int(number), _definition(path)))
    history = {name: tuple(sorted(versions, key=lambda schema: schema.version)) for name, versions in earlier.items()}
    current = {
        path.stem: Schema(path.stem, len(history.get(path.stem, ())) + 1, _definition(path))
        for path in sorted(directory.glob("*.avsc"))
    }
    return Catalogue(current, history)


@cache  # the files are part of the release and do not change while it runs
def shipped() -> Catalogue:
    """Return the schemas of this release."""
    return read(DIRECTORY)


def _definition(path: Path) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(path.read_text())
    return definition
